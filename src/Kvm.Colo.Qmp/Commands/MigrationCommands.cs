using Kvm.Colo.Qmp.Hosting;
using Kvm.Colo.Qmp.Migration;
using Kvm.Colo.Qmp.Schema;
using static Kvm.Colo.Qmp.Schema.QmpCommandThread;
using static Kvm.Colo.Qmp.Schema.QmpMembers;

namespace Kvm.Colo.Qmp.Commands;

/// <summary>Commands about live migration and its connections.</summary>
internal static class MigrationCommands
{
    private static readonly string[] s_schemes = ["tcp:", "unix:", "file:", "exec:", "fd:"];

    private static readonly QmpMember<string> s_uri = OptionalArgument("uri", QmpTypes.Str,
        "`tcp:HOST:PORT`, `unix:PATH`, `file:PATH[,offset=N]`, `exec:COMMAND` or `fd:N`; this or `channels`");

    private static readonly QmpMember<IReadOnlyList<MigrationChannel>> s_channels = OptionalArgument("channels",
        QmpTypes.ListOf(MigrationTypes.Channel), "one channel of type `main`; this or `uri`");

    private static readonly QmpMember<bool> s_detach = OptionalArgument("detach", QmpTypes.Bool, "ignored",
        QmpFeatures.Deprecated);

    private static readonly QmpMember<bool> s_resume = OptionalArgument("resume", QmpTypes.Bool,
        "continue a postcopy migration that is paused");

    private static readonly QmpMember<bool> s_exitOnError = OptionalArgument("exit-on-error", QmpTypes.Bool,
        "end the process when the migration fails; true unless given");

    private static readonly QmpMember<QmpMigrationStatus> s_state = Argument("state", MigrationTypes.Status,
        "the state the migration must be in, which it leaves");

    private static readonly QmpMember<string> s_recoverUri =
        Argument("uri", QmpTypes.Str, "where to listen for the new connection");

    private static readonly QmpMember<IReadOnlyList<MigrationCapabilityStatus>> s_capabilities = Argument("capabilities",
        QmpTypes.ListOf(MigrationTypes.CapabilityStatus));

    private static readonly QmpMember<long> s_initial = Argument("initial", QmpTypes.Int, "milliseconds before the first");

    private static readonly QmpMember<long> s_max = Argument("max", QmpTypes.Int, "longest time between two, in milliseconds");

    private static readonly QmpMember<long> s_rounds = Argument("rounds", QmpTypes.Int, "how many");

    private static readonly QmpMember<long> s_step = Argument("step", QmpTypes.Int, "milliseconds added between two");

    private static readonly QmpMember<IReadOnlyList<string>> s_interfaces = OptionalArgument("interfaces",
        QmpTypes.ListOf(QmpTypes.Str), "interfaces to announce, all unless given");

    private static readonly QmpMember<string> s_announceId =
        OptionalArgument("id", QmpTypes.Str, "names a series of announcements");

    private static readonly QmpMember<IReadOnlyList<QmpYankInstance>> s_instances = Argument("instances",
        QmpTypes.ListOf(MigrationTypes.YankInstance));

    public static IReadOnlyList<QmpCommand> All { get; } =
    [
        QmpCommand.Query("query-migrate", Snapshot, MigrationTypes.Info,
            "State and figures of the last or current migration; empty before the first.",
            static call => call.Host.Migration.Query() ?? new QmpMigrationInfo()),
        QmpCommand.Action("migrate", ControlLoop, "Starts a migration to another host, a file or a command; with the capability "
            + "`x-colo` it goes on as COLO. What fails after the start is told by MIGRATION and query-migrate.",
            Migrate, s_uri, s_channels, s_detach, s_resume),
        QmpCommand.Action("migrate-incoming", ControlLoop, "Starts to listen for a migration, after `--incoming defer`.",
            Incoming, s_uri, s_channels, s_exitOnError),
        QmpCommand.Action("migrate_cancel", ControlLoop, "Cancels the migration; succeeds when there is none.",
            static call => call.Host.Migration.Cancel()),
        QmpCommand.Action("migrate-continue", ControlLoop, "Lets a migration go on that waits before the switchover.",
            static call => call.Host.Migration.Continue(call.Values.Get(s_state)), s_state),
        QmpCommand.Action("migrate-start-postcopy", ControlLoop, "Switches a running migration to postcopy.",
            static call => call.Host.Migration.StartPostcopy()),
        QmpCommand.Action("migrate-pause", OutOfBand, "Pauses a postcopy migration, to recover from a link that hangs.",
            static call => call.Host.Migration.Pause()),
        QmpCommand.Action("migrate-recover", OutOfBand, "On the destination: listens anew for a paused postcopy migration.",
            static call => call.Host.Migration.Recover(CheckUri(call.Values.Get(s_recoverUri))), s_recoverUri),
        QmpCommand.Action("migrate-set-capabilities", ControlLoop,
            "Sets capabilities, all of them or none; refused while a migration or COLO is in progress.",
            static call => call.Host.Migration.Settings.SetCapabilities(
                call.Values.Get(s_capabilities), call.Host.Migration.InProgress), s_capabilities),
        QmpCommand.Query("query-migrate-capabilities", Snapshot, QmpTypes.ListOf(MigrationTypes.CapabilityStatus),
            "All capabilities.", static call => call.Host.Migration.Settings.ListCapabilities()),
        QmpCommand.Action("migrate-set-parameters", ControlLoop, "Sets parameters, all of them or none; also while in progress.",
            SetParameters, [.. MigrationParameterTable.All.Select(parameter => parameter.Argument)]),
        QmpCommand.Query("query-migrate-parameters", Snapshot, MigrationParameterTable.Type, "All parameters.",
            static call => call.Host.Migration.Settings.Parameters),
        QmpCommand.Action("announce-self", ControlLoop, "Makes the guest's interfaces known to the network's switches.",
            static call => call.Host.Migration.AnnounceSelf(new QmpAnnounceRequest(
                call.Values.Get(s_initial), call.Values.Get(s_max), call.Values.Get(s_rounds), call.Values.Get(s_step), call.Values.FindReference(s_interfaces),
                call.Values.FindReference(s_announceId))),
            s_initial, s_max, s_rounds, s_step, s_interfaces, s_announceId),
        QmpCommand.Action("yank", OutOfBand,
            "Cuts connections, to recover from a peer that hangs; all of them are there or none is cut.",
            Yank, s_instances),
        QmpCommand.Query("query-yank", OutOfBand, QmpTypes.ListOf(MigrationTypes.YankInstance), "Connections that can be cut.",
            static call => call.Host.Migration.YankInstances),
    ];

    private static void Migrate(QmpCall call)
    {
        bool resume = call.Values.Get(s_resume, fallback: false);
        MigrationAddress address = Address(call, "migrate");
        if (!resume && call.Host.Migration.InProgress)
            throw QmpErrors.MigrationActive();
        if (call.Host.Machine.RunState == QmpRunState.InMigrate)
            throw new QmpCommandException("Guest is waiting for an incoming migration");
        call.Host.Migration.Migrate(new QmpMigrateRequest(address.Uri, address.ExecArguments, resume));
    }

    private static void Incoming(QmpCall call)
    {
        MigrationAddress address = Address(call, "migrate-incoming");
        call.Host.Migration.Incoming(
            new QmpIncomingRequest(address.Uri, address.ExecArguments, call.Values.Get(s_exitOnError, fallback: true)));
    }

    private static MigrationAddress Address(QmpCall call, string command)
    {
        string? uri = call.Values.FindReference(s_uri);
        IReadOnlyList<MigrationChannel>? channels = call.Values.FindReference(s_channels);
        if (uri is not null && channels is not null)
        {
            throw new QmpCommandException("'uri' and 'channels' arguments are mutually exclusive; exactly one of the two "
                + $"should be present in '{command}' qmp command");
        }
        if (channels is not null)
        {
            if (channels.Count != 1 || channels[0].Kind != MigrationChannelKind.Main)
                throw new QmpCommandException("Channel list must have one channel, of type 'main'");
            _ = CheckUri(channels[0].Address.Uri);
            return channels[0].Address;
        }
        if (uri is null)
            throw new QmpCommandException("need either 'uri' or 'channels' argument");
        return new MigrationAddress(CheckUri(uri), ExecArguments: null);
    }

    private static string CheckUri(string uri) =>
        Array.Exists(s_schemes, scheme => uri.StartsWith(scheme, StringComparison.Ordinal))
        ? uri
        : throw new QmpCommandException($"unknown migration protocol: {uri}");

    private static void SetParameters(QmpCall call)
    {
        var changes = new List<(MigrationParameter, object)>();
        foreach (MigrationParameter parameter in MigrationParameterTable.All)
        {
            if (call.Values.Has(parameter.Argument))
                changes.Add((parameter, parameter.Convert(call.Values.GetBoxed(parameter.Argument))));
        }
        call.Host.Migration.Settings.SetParameters(changes);
    }

    private static void Yank(QmpCall call)
    {
        IReadOnlyList<QmpYankInstance> wanted = call.Values.Get(s_instances);
        IReadOnlyList<QmpYankInstance> present = call.Host.Migration.YankInstances;
        bool isGone = wanted.Any(instance => !present.Contains(instance));
        foreach (QmpYankInstance instance in isGone ? [] : wanted)
            isGone |= !call.Host.Migration.TryYank(instance);
        if (isGone)
            throw new QmpCommandException(QmpErrorClass.DeviceNotFound, "Instance not found");
    }
}
