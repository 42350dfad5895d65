using Kvm.Colo.Migration.Colo;

namespace Kvm.Colo.Migration;

/// <summary>Hears of a machine's migrations, on migration threads; must return at once and must not throw.</summary>
internal interface IMigrationObserver
{
    /// <summary>The status changed (QAPI MIGRATION).</summary>
    void OnStatus(MigrationStatus status);

    /// <summary>A pass over dirty RAM or a checkpoint began (QAPI MIGRATION_PASS); counts from 1.</summary>
    void OnPass(int pass);

    /// <summary>This side has left COLO or lost its peer (QAPI COLO_EXIT).</summary>
    void OnColoExit(ColoMode mode, ColoExitReason reason);

    /// <summary>A checkpoint is complete: on the primary when the other side has made it live, on the secondary when it has.</summary>
    void OnEpoch(ColoMode mode, in EpochRecord epoch);

    /// <summary>The failover machine has moved; the reason is what COLO_EXIT would say now.</summary>
    void OnFailover(ColoMode mode, FailoverState state, ColoExitReason reason);

    /// <summary>How far the initial synchronisation is; at most a few times a second.</summary>
    void OnProgress(MigrationProgress progress);

    /// <summary>The conversation's words, for traces: sent or received.</summary>
    void OnColoMessage(bool sent, Stream.ColoMessage message);

    /// <summary>One line for a person about what went wrong or happened.</summary>
    void OnMessage(string text);
}
