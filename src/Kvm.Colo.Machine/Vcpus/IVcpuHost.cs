using Kvm.Colo.Kvm;

namespace Kvm.Colo.Machine.Vcpus;

/// <summary>What a vCPU thread needs of its machine. Every method is called on vCPU threads, several at once.</summary>
internal interface IVcpuHost
{
    /// <summary>A vCPU checks this after each exit: true means it must not run on until it was parked and resumed.</summary>
    bool HoldRequested { get; }

    void OnPortIo(in PortIoExit exit);

    void OnMmio(in MmioExit exit);

    void OnDirtyRingFull(int vcpuIndex);

    /// <summary>The guest shut down hard (triple fault) or asked for a reset through KVM; the vCPU holds itself.</summary>
    void OnTripleFault(int vcpuIndex);

    /// <summary>KVM cannot go on with this guest; the vCPU holds itself. The text is for the log, several lines.</summary>
    void OnInternalError(int vcpuIndex, string diagnosis);
}
