namespace Kvm.Colo.Migration.Colo;

/// <summary>What may move the failover machine.</summary>
internal enum FailoverTrigger
{
    /// <summary>x-colo-lost-heartbeat, or the policy's decision.</summary>
    Request,

    /// <summary>The session's thread takes the request up.</summary>
    Begin,

    /// <summary>It would, but the secondary is making an epoch live.</summary>
    BeginWhileLoading,

    /// <summary>An epoch begins to be made live.</summary>
    LoadBegins,

    /// <summary>The epoch is live.</summary>
    LoadEnds,

    /// <summary>This side goes on alone.</summary>
    Complete,
}
