namespace Kvm.Colo.Migration.Colo;

/// <summary>Steps of a failover (QAPI FailoverStatus).</summary>
internal enum FailoverState
{
    None,
    Require,
    Active,
    Completed,
    Relaunch,
}
