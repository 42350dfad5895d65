using Kvm.Colo.Stream;
using static Kvm.Colo.Devices.Virtio.Net.VirtioNetProtocol;

namespace Kvm.Colo.Devices.Virtio.Net;

/// <summary>A network card in the stream. A frame it holds for want of buffers is lost on the way, as on a wire.</summary>
internal sealed class VirtioNetState(ulong offeredFeatures, ReadOnlySpan<ushort> queueSizes)
    : VirtioDeviceState(offeredFeatures, queueSizes)
{
    public byte[] Address = new byte[6];
    public ushort LinkStatus;

    protected override void VisitDevice(StateVisitor v)
    {
        v.Bytes("mac", Address);
        v.U16("net_status", ref LinkStatus);
    }

    protected override string? ValidateDevice() =>
        (LinkStatus & ~(StatusLinkUp | StatusAnnounce)) == 0 ? null : $"link status 0x{LinkStatus:x}";
}
