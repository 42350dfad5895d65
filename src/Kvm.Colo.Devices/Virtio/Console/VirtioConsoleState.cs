using Kvm.Colo.Stream;

namespace Kvm.Colo.Devices.Virtio.Console;

/// <summary>A console in the stream.</summary>
internal sealed class VirtioConsoleState(ulong offeredFeatures, ReadOnlySpan<ushort> queueSizes)
    : VirtioDeviceState(offeredFeatures, queueSizes)
{
    /// <summary>Bytes of the next transmit chain that have gone out already.</summary>
    public ulong SentBytes;

    protected override void VisitDevice(StateVisitor v) => v.U64("tx_sent", ref SentBytes);
}
