using Kvm.Colo.Qmp.Migration;

namespace Kvm.Colo.Qmp.Hosting;

/// <summary>Migration, outgoing and incoming. Methods run on the control loop unless they say otherwise.</summary>
internal interface IQmpMigration
{
    /// <summary>Capabilities and parameters; the server writes them, the migration reads them. Any thread.</summary>
    MigrationSettings Settings { get; }

    /// <summary>
    /// True from setup until completed, failed or cancelled, COLO included: settings and a new migration are refused.
    /// </summary>
    bool InProgress { get; }

    /// <summary>The state of the last or current migration, null before the first. Any thread.</summary>
    QmpMigrationInfo? Query();

    /// <summary>QAPI <c>migrate</c>: starts and returns; what goes wrong later is found in <see cref="Query"/>.</summary>
    void Migrate(QmpMigrateRequest request);

    /// <summary>QAPI <c>migrate-incoming</c>, after <c>--incoming defer</c>.</summary>
    void Incoming(QmpIncomingRequest request);

    /// <summary>QAPI <c>migrate_cancel</c>: succeeds when idle.</summary>
    void Cancel();

    /// <summary>QAPI <c>migrate-continue</c>: leaves the named state, which the migration must be in.</summary>
    void Continue(QmpMigrationStatus state);

    /// <summary>QAPI <c>migrate-start-postcopy</c>.</summary>
    void StartPostcopy();

    /// <summary>
    /// QAPI <c>migrate-pause</c>. Out of band: runs on a monitor's thread, must not wait, touches the link only.
    /// </summary>
    void Pause();

    /// <summary>QAPI <c>migrate-recover</c>. Out of band: runs on a monitor's thread and must not wait.</summary>
    void Recover(string uri);

    /// <summary>QAPI <c>announce-self</c>.</summary>
    void AnnounceSelf(QmpAnnounceRequest request);

    /// <summary>Connections that can be cut. Any thread.</summary>
    IReadOnlyList<QmpYankInstance> YankInstances { get; }

    /// <summary>
    /// QAPI <c>yank</c> of one instance. Out of band: shuts its sockets at once and waits for nothing. False when it is gone.
    /// </summary>
    bool TryYank(QmpYankInstance instance);
}
