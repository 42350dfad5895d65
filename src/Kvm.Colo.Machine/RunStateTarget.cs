namespace Kvm.Colo.Machine;

/// <summary>Where a transition leads.</summary>
internal enum RunStateTarget
{
    Same,

    /// <summary>A state the table names.</summary>
    Named,

    /// <summary>Back to the state that was interrupted.</summary>
    Interrupted,

    /// <summary>To the state that came with the guest.</summary>
    Arrived,
}
