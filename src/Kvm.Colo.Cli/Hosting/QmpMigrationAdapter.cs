using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Commands;
using Kvm.Colo.Qmp.Hosting;
using MigrationSettings = Kvm.Colo.Qmp.Migration.MigrationSettings;
using MigrationTransport = Kvm.Colo.Migration.Links.MigrationTransport;

namespace Kvm.Colo.Cli.Hosting;

/// <summary>Migration for the control socket.</summary>
internal sealed class QmpMigrationAdapter(VirtualMachine machine, MigrationManager manager, SettingsBridge settings, EventBridge events) : IQmpMigration
{
    private const long PageBytes = 4096;
    private static readonly QmpYankInstance s_link = new(QmpYankKind.Migration, Id: null);

    public MigrationSettings Settings => settings.Store;

    /// <summary>A side that only listens has begun nothing: its capabilities may still be set, as QEMU allows.</summary>
    public bool InProgress => manager.Current is { IsRunning: true } current
        && !(current.Side == ColoMode.Secondary && current.Status == MigrationStatus.Setup);

    public IReadOnlyList<QmpYankInstance> YankInstances => manager.Current is { IsRunning: true, HasLink: true } ? [s_link] : [];

    public QmpMigrationInfo? Query()
    {
        if (manager.Current is not { } current || current.Status == MigrationStatus.None)
            return null;
        return new QmpMigrationInfo
        {
            Status = current.Status.ToQmp(),
            Ram = Describe(current),
            ExpectedDowntimeMilliseconds = ExpectedDowntime(current),
            TotalTimeMilliseconds = Milliseconds(events.Clock.Total),
            SetupTimeMilliseconds = Milliseconds(events.Clock.Setup),
            DowntimeMilliseconds = Milliseconds(current.Downtime),
            ErrorDescription = current.ErrorText,
            CpuThrottlePercentage = current.ThrottlePercent > 0 ? current.ThrottlePercent : null,
            SocketAddress = manager.ListeningOn is { } uri ? [Describe(uri)] : null,
        };
    }

    public void Migrate(QmpMigrateRequest request)
    {
        if (request.Resume)
            throw new QmpCommandException("Cannot resume if there is no paused migration");
        MigrationUri uri = Parse(request.Uri, request.ExecArguments);
        MigrationErrors.Obey(() => manager.Migrate(uri));
    }

    public void Incoming(QmpIncomingRequest request)
    {
        MigrationUri uri = Parse(request.Uri, request.ExecArguments);
        MigrationErrors.Obey(() => manager.Listen(uri, keepListening: false));
        events.EndsOnIncomingFailure = request.ExitOnError;
    }

    public void Cancel() => MigrationErrors.Obey(manager.Cancel);

    public void Continue(QmpMigrationStatus state) => throw new QmpCommandException(
        $"Migration not in expected state: {MigrationTypes.Status.NameOf(state)}");

    public void StartPostcopy() =>
        throw new QmpCommandException("Enable postcopy with migrate_set_capability before the start of migration");

    public void Pause() =>
        throw new QmpCommandException(
            "migrate-pause is currently only supported during postcopy-active or postcopy-recover state");

    public void Recover(string uri) => throw new QmpCommandException("Migrate recover can only be run when postcopy is paused.");

    /// <summary>In the rounds a card always makes; of a secondary the primary speaks.</summary>
    public void AnnounceSelf(QmpAnnounceRequest request) => machine.AnnounceSelf();

    public bool TryYank(QmpYankInstance instance) => instance == s_link && manager.Current?.Yank() == true;

    private static MigrationUri Parse(string text, IReadOnlyList<string>? execArguments)
    {
        if (execArguments is { Count: > 0 })
            text = "exec:" + string.Join(' ', execArguments.Select(Quote));
        if (!MigrationUri.TryParse(text, out MigrationUri? uri, out string? problem))
            throw new QmpCommandException(problem!);
        if (uri!.Transport == MigrationTransport.File && uri.Target.Contains(",offset=", StringComparison.Ordinal))
            throw new QmpCommandException("a file's offset is not supported");
        return uri;
    }

    // For the shell that runs an exec: address.
    private static string Quote(string argument) => $"'{argument.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static long? Milliseconds(TimeSpan? time) => time is { } value ? (long)value.TotalMilliseconds : null;

    /// <summary>What is left, at the rate it leaves; of a migration that goes on.</summary>
    private static long? ExpectedDowntime(MigrationControl current) =>
        current.Status == MigrationStatus.Active && current.Progress is { BytesPerSecond: > 0 } progress
            ? (long)(progress.RemainingPages * PageBytes * 1000 / progress.BytesPerSecond)
            : null;

    /// <summary>The transfer before COLO and, in COLO, all its epochs.</summary>
    private static QmpRamStatistics? Describe(MigrationControl current)
    {
        MigrationProgress progress = current.Progress;
        if (progress.TotalBytes == 0)
            return null;
        ColoCounters epochs = current.Statistics.Counters;
        long normal = (long)(progress.NormalPages + epochs.Full + epochs.Delta);
        return new QmpRamStatistics
        {
            TotalBytes = (long)progress.TotalBytes,
            TransferredBytes = (long)progress.TransferredBytes + epochs.Bytes,
            RemainingBytes = (long)progress.RemainingPages * PageBytes,
            DuplicatePages = (long)(progress.ZeroPages + epochs.Zero),
            NormalPages = normal,
            NormalBytes = normal * PageBytes,
            DirtyPagesRate = (long)progress.DirtyPagesPerSecond,
            MegabitsPerSecond = progress.BytesPerSecond * 8 / 1_000_000,
            PagesPerSecond = (ulong)(progress.BytesPerSecond / PageBytes),
            PrecopyBytes = progress.TransferredBytes - progress.DowntimeBytes,
            DowntimeBytes = progress.DowntimeBytes,
            DirtySyncCount = progress.Passes + current.Statistics.Pause.Count,
        };
    }

    private static QmpSocketAddress Describe(MigrationUri uri) => uri.Transport == MigrationTransport.Unix
        ? new QmpSocketAddress(QmpSocketKind.Unix) { Path = uri.Target }
        : new QmpSocketAddress(QmpSocketKind.Inet) { Host = uri.Target, Port = uri.Port.ToString() };
}
