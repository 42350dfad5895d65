namespace Kvm.Colo.Devices.Virtio.Net;

/// <summary>Numbers of the network device (virtio 1.2, section 5.1).</summary>
internal static class VirtioNetProtocol
{
    public const ulong FeatureChecksum = 1ul << 0;
    public const ulong FeatureGuestChecksum = 1ul << 1;
    public const ulong FeatureMac = 1ul << 5;
    public const ulong FeatureGuestTso4 = 1ul << 7;
    public const ulong FeatureGuestTso6 = 1ul << 8;
    public const ulong FeatureGuestEcn = 1ul << 9;
    public const ulong FeatureHostTso4 = 1ul << 11;
    public const ulong FeatureHostTso6 = 1ul << 12;
    public const ulong FeatureHostEcn = 1ul << 13;
    public const ulong FeatureMergeableBuffers = 1ul << 15;
    public const ulong FeatureStatus = 1ul << 16;
    public const ulong FeatureControlQueue = 1ul << 17;
    public const ulong FeatureGuestAnnounce = 1ul << 21;

    public const ushort StatusLinkUp = 1;
    public const ushort StatusAnnounce = 2;

    public const byte ControlClassAnnounce = 3;
    public const byte ControlAnnounceAcknowledge = 0;
    public const byte ControlOk = 0;
    public const byte ControlError = 1;
    public const int ControlHeaderBytes = 2;

    public const int ConfigStatus = 6;
    public const int ConfigQueuePairs = 8;
    public const int ConfigBytes = 10;

    /// <summary>An Ethernet header: the shortest thing worth sending.</summary>
    public const int EthernetHeaderBytes = 14;
}
