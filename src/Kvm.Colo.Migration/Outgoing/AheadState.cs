namespace Kvm.Colo.Migration.Outgoing;

/// <summary>What became of a staged page before the cut.</summary>
[Flags]
internal enum AheadState : byte
{
    /// <summary>It was captured in a checkpoint, not ahead of it.</summary>
    None = 0,

    /// <summary>It equals the committed page, so nothing went out.</summary>
    Same = 1 << 0,
    Delta = 1 << 1,
    Zero = 1 << 2,
    Full = 1 << 3,

    /// <summary>It was captured again afterwards: what the peer holds of it is to be replaced.</summary>
    Stale = 1 << 4,

    /// <summary>The peer holds something for this page that differs from its committed image.</summary>
    OnWire = Delta | Zero | Full,
}
