namespace Kvm.Colo.Qmp.Hosting;

/// <summary>Fault tolerance. Properties are snapshots, read on any thread; methods run on the control loop.</summary>
internal interface IQmpColo
{
    QmpColoStatus Status { get; }

    /// <summary>Counters of the current or last session, null before the first.</summary>
    QmpColoStatistics? Statistics { get; }

    /// <summary>
    /// QAPI <c>x-colo-lost-heartbeat</c>: this side is to live on alone. "VM is not in COLO mode" and
    /// "COLO failover is already activated" are the refusals.
    /// </summary>
    void LostHeartbeat();

    /// <summary>
    /// <c>__org.colo-vm_checkpoint</c>: asks for a checkpoint now; returns when it is asked for, not when it is done.
    /// </summary>
    void RequestCheckpoint();

    /// <summary>QAPI <c>xen-set-replication</c>.</summary>
    void SetReplication(bool enable, bool primary, bool failover);

    /// <summary>QAPI <c>xen-colo-do-checkpoint</c>: a checkpoint of disks and filters only.</summary>
    void CheckpointReplication();

    /// <summary>QAPI <c>query-xen-replication-status</c>: null when no replicated disk has an error, else what it is.</summary>
    string? ReplicationError { get; }
}
