namespace Kvm.Colo.Stream;

/// <summary>A word of the checkpoint conversation, be32 on the wire. 0 to 6 are QEMU's COLOMessage (QAPI, since 2.8); those
/// from <see cref="Heartbeat"/> up are ours ('c' 'o' prefix) and legal only when negotiated.</summary>
internal enum ColoMessage : uint
{
    /// <summary>Secondary to primary, once: runs and is ready.</summary>
    CheckpointReady = 0,

    /// <summary>Primary to secondary: a transaction begins.</summary>
    CheckpointRequest = 1,

    /// <summary>Secondary to primary: go on.</summary>
    CheckpointReply = 2,

    /// <summary>Primary to secondary: RAM sections and EOF follow.</summary>
    VmstateSend = 3,

    /// <summary>Primary to secondary: be64 size and the device blob follow, see <see cref="VmstateSize"/>.</summary>
    VmstateSize = 4,

    /// <summary>Secondary to primary: the epoch is whole and verified in memory. The output commit point.</summary>
    VmstateReceived = 5,

    /// <summary>Secondary to primary: the epoch is live.</summary>
    VmstateLoaded = 6,

    /// <summary>Either way, no payload: the sender is alive.</summary>
    Heartbeat = 0x636F_0000,

    /// <summary>Secondary to primary, once, before <see cref="CheckpointReady"/>: see <see cref="ConfigurationReply"/>.</summary>
    ConfigurationReply = 0x636F_0001,

    /// <summary>Primary to secondary: hashes of dirty pages, see <see cref="PageHashQuery"/>.</summary>
    PageHashes = 0x636F_0002,

    /// <summary>Secondary to primary: which of them differ, see <see cref="PageHashAnswer"/>.</summary>
    PageVerdicts = 0x636F_0003,

    /// <summary>Either way: the sender's machine has ended or is about to; why, see <see cref="Stream.ShutdownNotice"/>.</summary>
    ShutdownNotice = 0x636F_0004,

    /// <summary>Secondary to primary: the notice has arrived.</summary>
    ShutdownReceived = 0x636F_0005,

    /// <summary>Primary to secondary, once, before any disk's content: see <see cref="Stream.DiskList"/>.</summary>
    DiskList = 0x636F_0006,

    /// <summary>Primary to secondary: hashes of a disk's chunks, see <see cref="DiskHashQuery"/>; answered by <see cref="PageVerdicts"/>.</summary>
    DiskHashes = 0x636F_0007,

    /// <summary>Primary to secondary: bytes of a disk, see <see cref="DiskRun"/>.</summary>
    DiskData = 0x636F_0008,

    /// <summary>Primary to secondary: a range of a disk is zeros, see <see cref="DiskRun"/>.</summary>
    DiskZeroes = 0x636F_0009,

    /// <summary>Secondary to primary: it will not have the session, see <see cref="Stream.Refusal"/>.</summary>
    Refusal = 0x636F_000A,

    /// <summary>Primary to secondary, between checkpoint-reply and vmstate-send, no payload: its guest stops at this moment.</summary>
    Cut = 0x636F_000B,
}
