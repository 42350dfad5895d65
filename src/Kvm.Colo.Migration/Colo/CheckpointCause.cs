namespace Kvm.Colo.Migration.Colo;

/// <summary>Why a primary takes a checkpoint.</summary>
internal enum CheckpointCause
{
    /// <summary>The delay between two has passed, or was changed.</summary>
    Timer,

    /// <summary>Somebody asked for it.</summary>
    Request,

    /// <summary>The guests said different things to the network.</summary>
    PacketMismatch,

    /// <summary>One guest said something to the network and the other did not.</summary>
    PacketTimeout,

    /// <summary>The guest has written so many pages that waiting longer would cost more.</summary>
    DirtyPages,

    /// <summary>Replication of a disk asks for it.</summary>
    Disk,

    /// <summary>Frames to the network wait for it and take all their room.</summary>
    Network,

    /// <summary>The machine ends: its last state goes to the other side.</summary>
    Shutdown,
}
