using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Devices.Virtio.Console;

/// <summary>A console in the stream; on a primary with the bytes it sent in this epoch.</summary>
internal sealed class VirtioConsoleState(ulong offeredFeatures, ReadOnlySpan<ushort> queueSizes)
    : VirtioDeviceState(offeredFeatures, queueSizes)
{
    /// <summary>Bytes of the next transmit chain that have gone out already.</summary>
    public ulong SentBytes;

    public bool HasEpochLog;
    public readonly byte[] EpochLog = new byte[SerialOutput.EpochLogBytes];
    public int EpochLogCount;
    public ulong EpochLogLostBytes;

    protected override void VisitDevice(StateVisitor v)
    {
        v.U64("tx_sent", ref SentBytes);
        HasEpochLog = v.Subsection("virtio-console/epoch-log", 1, HasEpochLog);
        if (!HasEpochLog)
            return;
        v.VariableBytes("output", EpochLog, ref EpochLogCount);
        v.U64("lost", ref EpochLogLostBytes);
        v.EndSubsection();
    }
}
