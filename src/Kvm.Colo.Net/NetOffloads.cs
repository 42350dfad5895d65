namespace Kvm.Colo.Net;

/// <summary>What the receiver of frames can finish itself (TUN_F_* of linux/if_tun.h).</summary>
[Flags]
internal enum NetOffloads
{
    /// <summary>Every frame arrives whole, with its checksums.</summary>
    None = 0,

    /// <summary>Checksums may be partial. All others need this one.</summary>
    Checksum = 0x01,
    Tso4 = 0x02,
    Tso6 = 0x04,
    TsoEcn = 0x08,
}
