namespace Kvm.Colo.Devices.Serial;

/// <summary>What becomes of the bytes a guest sends, by the role of its machine.</summary>
internal enum SerialOutputMode
{
    /// <summary>No replication: written through.</summary>
    Direct,

    /// <summary>Primary: written through and kept for the epoch's log.</summary>
    Recording,

    /// <summary>Secondary: held back; the primary's log of each committed epoch is written instead.</summary>
    Speculative,
}
