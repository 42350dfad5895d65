namespace Kvm.Colo.Net;

/// <summary>struct virtio_net_hdr_v1, which stands before every frame here (virtio 1.2, section 5.1.6); little-endian.</summary>
internal static class VnetHeader
{
    public const int SizeBytes = 12;

    public const int FlagsOffset = 0;
    public const int GsoTypeOffset = 1;
    public const int BufferCountOffset = 10;

    public const byte FlagNeedsChecksum = 1;

    public const byte GsoNone = 0;
    public const byte GsoTcp4 = 1;
    public const byte GsoTcp6 = 4;
    public const byte GsoEcn = 0x80;

    /// <summary>The longest frame with this header: a 64 KiB segment, Ethernet and a VLAN tag.</summary>
    public const int MaxFrameBytes = 65_562;
}
