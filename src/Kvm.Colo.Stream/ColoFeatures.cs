namespace Kvm.Colo.Stream;

/// <summary>What QEMU's stream lacks, negotiated bit by bit in the configuration section.</summary>
[Flags]
internal enum ColoFeatures : uint
{
    None = 0,

    /// <summary>Every device blob ends with an <see cref="EpochTrailer"/>.</summary>
    EpochDigest = 1 << 0,

    /// <summary><see cref="ColoMessage.Heartbeat"/> may stand wherever a message or an element may begin.</summary>
    Heartbeat = 1 << 1,

    /// <summary>Hashes of dirty pages are exchanged and equal pages are not sent.</summary>
    PageHashes = 1 << 2,

    /// <summary>RAM sections may hold delta pages (flag 0x040).</summary>
    Deltas = 1 << 3,

    /// <summary>RAM SECTION_PARTs may come before the cut of their epoch.</summary>
    PreSend = 1 << 4,

    /// <summary>Serial output is released with its epoch, as network output is.</summary>
    SerialOutputCommit = 1 << 5,

    /// <summary>The bytes after vmstate-size are a <see cref="BlobDelta"/>.</summary>
    StateDelta = 1 << 6,

    /// <summary>A side that ends says so, and why.</summary>
    ShutdownNotice = 1 << 7,

    /// <summary>Disks are compared, synchronised and travel with the epochs.</summary>
    Disks = 1 << 8,

    /// <summary>The primary may say when it cuts, and the secondary's guest stops then and goes on in time with its own.</summary>
    CutNotice = 1 << 9,

    /// <summary>All bits this version knows.</summary>
    Known = EpochDigest | Heartbeat | PageHashes | Deltas | PreSend | SerialOutputCommit | StateDelta | ShutdownNotice | Disks | CutNotice,

    /// <summary>Never on the wire: both sides sent or saw a colo-vm configuration, so its reply is legal.</summary>
    Negotiated = 1u << 31,
}
