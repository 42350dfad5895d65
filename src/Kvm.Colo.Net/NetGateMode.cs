namespace Kvm.Colo.Net;

/// <summary>What becomes of a frame the guest sends.</summary>
internal enum NetGateMode
{
    /// <summary>It leaves at once.</summary>
    Open,

    /// <summary>A primary's: it waits until the epoch it belongs to is committed.</summary>
    Holding,

    /// <summary>A secondary's: it waits for a takeover, and the next epoch drops it. Nothing is received.</summary>
    Speculative,
}
