using Kvm.Colo.Kvm;
using Kvm.Colo.Machine.Vcpus;
using Microsoft.Extensions.Logging;

namespace Kvm.Colo.Machine;

/// <content>What vCPU threads bring back from KVM.</content>
internal sealed partial class VirtualMachine : IVcpuHost
{
    bool IVcpuHost.HoldRequested => _holdRequested;

    void IVcpuHost.OnPortIo(in PortIoExit exit)
    {
        for (int i = 0; i < exit.Count; i++)
        {
            Span<byte> item = exit.Data.Slice(i * exit.Size, exit.Size);
            if (exit.IsWrite)
                _devices.Ports.Write(exit.Port, item);
            else
                _devices.Ports.Read(exit.Port, item);
        }
    }

    void IVcpuHost.OnMmio(in MmioExit exit)
    {
        if (exit.IsWrite)
            _devices.Mmio.Write(exit.Address, exit.Data);
        else
            _devices.Mmio.Read(exit.Address, exit.Data);
    }

    void IVcpuHost.OnDirtyRingFull(int vcpuIndex) => DirtyLog.OnRingFull(vcpuIndex);

    void IVcpuHost.OnTripleFault(int vcpuIndex)
    {
        _faultLog.ReportGuest($"vCPU {vcpuIndex}", IsSpeculative ? "triple fault, until the next epoch" : "triple fault, the guest is reset");
        RequestFromGuest(GuestRequests.Reset);
    }

    void IVcpuHost.OnInternalError(int vcpuIndex, string diagnosis)
    {
        LogInternalError(_logger, diagnosis);
        RequestFromGuest(GuestRequests.Failure);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "the guest cannot go on\n{Diagnosis}")]
    private static partial void LogInternalError(ILogger logger, string diagnosis);
}
