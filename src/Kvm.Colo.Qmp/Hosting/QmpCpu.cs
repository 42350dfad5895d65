namespace Kvm.Colo.Qmp.Hosting;

/// <summary>One vCPU (QAPI <c>CpuInfoFast</c>).</summary>
/// <param name="Index">Its index, from 0.</param>
/// <param name="ThreadId">Kernel thread id of its thread.</param>
/// <param name="QomPath">Its place in the object tree.</param>
internal sealed record QmpCpu(int Index, int ThreadId, string QomPath);
