namespace Kvm.Colo.Devices.Virtio;

/// <summary>Feature bits that belong to the queues and the transport (virtio 1.2, section 6).</summary>
internal static class VirtioFeature
{
    public const ulong RingIndirect = 1ul << 28;
    public const ulong RingEventIndex = 1ul << 29;
    public const ulong Version1 = 1ul << 32;

    /// <summary>What every device here offers.</summary>
    public const ulong Common = RingIndirect | RingEventIndex | Version1;
}
