using static Kvm.Colo.Machine.RunState;
using static Kvm.Colo.Machine.RunStateAction;
using static Kvm.Colo.Machine.RunStateRule;
using static Kvm.Colo.Machine.RunStateTarget;
using static Kvm.Colo.Machine.RunStateTrigger;

namespace Kvm.Colo.Machine;

/// <summary>
/// The one table of run states: (state, trigger) -> (action, state') for every pair. <see cref="VirtualMachine"/> looks every
/// transition up here, the legal edges of <see cref="RunStateMachine"/> follow from it, and RUN-STATES.md is written from it.
/// </summary>
internal static class RunStateTable
{
    private const string NeedsReset = "Resetting the Virtual Machine is required";
    private const string NotFinal = "Migration is not finalized yet";
    private const string NotAsleep = "Unable to wake up: guest is not in suspended state";
    private const string Waits = "Guest is waiting for an incoming migration";
    private const string HasLeft = "Can't migrate the vm that was paused due to previous migration";
    private const string InProgress = "There's a migration process in progress";
    private const string AskThePrimary = "The guest is a COLO secondary's: what it is told here the next checkpoint undoes; tell the primary";

    /// <summary>States of a whole guest: those a stream may carry and a pause may interrupt.</summary>
    public static IReadOnlyList<RunState> GuestStates { get; } =
        [Running, Paused, Prelaunch, IoError, Watchdog, GuestPanicked, InternalError, Shutdown];

    /// <summary>States this machine never enters, and why.</summary>
    public static IReadOnlyDictionary<RunState, string> Absent { get; } = new Dictionary<RunState, string>
    {
        [Suspended] = "no guest of this machine sleeps: its DSDT offers S5 only, and a stream that brings this state is refused",
        [Debug] = "there is no debugger stub",
        [SaveVm] = "there are no snapshot commands",
        [RestoreVm] = "there are no snapshot commands",
    };

    private static readonly RunState[] s_startable = [Paused, Prelaunch, IoError, Watchdog, GuestPanicked];
    private static readonly RunState[] s_needReset = [InternalError, Shutdown];
    private static readonly RunState[] s_standing = [.. s_startable, .. s_needReset];
    private static readonly RunState[] s_guest = [.. GuestStates];
    private static readonly RunStateRule?[,] s_rules = new RunStateRule?[Enum.GetValues<RunState>().Length, Enum.GetValues<RunStateTrigger>().Length];
    private static readonly bool[,] s_edges = Build();

    public static RunStateRule Rule(RunState state, RunStateTrigger trigger) => s_rules[(int)state, (int)trigger]
        ?? throw new InvalidOperationException($"no rule for ({state.Name()}, {trigger})");

    /// <summary>Whether some trigger leads from one state to the other.</summary>
    public static bool HasEdge(RunState from, RunState to) => s_edges[(int)from, (int)to];

    private static bool[,] Build()
    {
        Commands();
        SecondaryCommands();
        Guest();
        Migration();
        Colo();
        foreach ((RunState absent, string why) in Absent)
        {
            foreach (RunStateTrigger trigger in Enum.GetValues<RunStateTrigger>())
                s_rules[(int)absent, (int)trigger] = Never(why);
        }

        bool[,] edges = new bool[s_rules.GetLength(0), s_rules.GetLength(0)];
        foreach (RunState from in RunStateNames.All)
        {
            foreach (RunStateTrigger trigger in Enum.GetValues<RunStateTrigger>())
            {
                foreach (RunState to in Rule(from, trigger).Targets(from))
                    edges[(int)from, (int)to] = true;
            }
        }

        return edges;
    }

    private static Rules On(RunStateTrigger trigger) => new(trigger);

    private static void Commands()
    {
        On(Stop).In(Running, Do(StopVcpus, Paused))
            .In(s_standing, Nothing("it stands still already")).In(PostMigrate, Nothing("it stands still already"))
            .In(InMigrate, Do(ForgetStart)).In(FinishMigrate, Do(RememberStop)).In(RunState.Colo, Wait);
        On(Cont).In(Running, Nothing("it runs already"))
            .In(s_startable, Do(StartVcpus, Running)).In(PostMigrate, Do(StartVcpus, Running))
            .In(s_needReset, Refuse(NeedsReset)).In(InMigrate, Do(RememberStart)).In(FinishMigrate, Refuse(NotFinal))
            .In(RunState.Colo, Wait);
        On(SystemReset).In(Running, Do(Reset))
            .In(s_standing, Do(Reset, Prelaunch)).In(PostMigrate, Do(Reset, Prelaunch))
            .In(InMigrate, Nothing("the guest has not arrived: there is nothing to reset"))
            .In(FinishMigrate, Refuse(NotFinal)).In(RunState.Colo, Wait);
        On(SystemPowerdown).In(Running, Do(PressPowerButton))
            .In(s_standing, Do(PressPowerButton)).In(PostMigrate, Do(PressPowerButton)).In(InMigrate, Do(PressPowerButton))
            .In(FinishMigrate, Refuse(NotFinal)).In(RunState.Colo, Wait);
        On(SystemWakeup).Rest(Refuse(NotAsleep));
        foreach (RunStateTrigger end in (RunStateTrigger[])[Quit, HostSignal, HostError])
            On(end).In(Running, Do(End, Shutdown)).In(RunState.Colo, Wait).Rest(Do(End));
    }

    private static void SecondaryCommands()
    {
        const string notLive = "a secondary's guest has arrived and has not left";
        On(SecondaryStop).In(Running, Do(HoldAndStop, Paused)).In(s_standing, Do(Hold)).In(RunState.Colo, Wait).Rest(Never(notLive));
        On(SecondaryCont).In(Running, Nothing("it runs already"))
            .In(s_startable, Do(UnholdAndStart, Running)).In(s_needReset, Refuse(NeedsReset)).In(RunState.Colo, Wait).Rest(Never(notLive));
        On(SecondaryContWhilePrimaryStands).In(s_startable, Do(Unhold)).In(s_needReset, Refuse(NeedsReset))
            .In(Running, Never("an epoch of a standing guest stops the one here")).In(RunState.Colo, Wait).Rest(Never(notLive));
        On(SecondaryReset).In(RunState.Colo, Wait).In(s_guest, Refuse(AskThePrimary)).Rest(Never(notLive));
        On(SecondaryPowerdown).In(RunState.Colo, Wait).In(s_guest, Refuse(AskThePrimary)).Rest(Never(notLive));
    }

    private static void Guest()
    {
        const string still = "the vCPUs stand still, and what they had asked is carried out before they come to a stand";
        On(GuestReset).In(Running, Do(Reset)).Rest(Never(still));
        On(GuestResetEnds).In(Running, Do(End, Shutdown)).Rest(Never(still));
        On(GuestOff).In(Running, Do(End, Shutdown)).Rest(Never(still));
        On(GuestOffKept).In(Running, Do(KeepOff, Shutdown)).Rest(Never(still));
        On(GuestPanicPauses).In(Running, Do(PanicStop, GuestPanicked)).Rest(Never(still));
        On(GuestPanicEnds).In(Running, Do(PanicEnd, Shutdown)).Rest(Never(still));
        On(GuestPanicRuns).In(Running, Do(PanicReport)).Rest(Never(still));
        On(GuestCrashLoaded).In(Running, Do(CrashReport)).Rest(Never(still));
        On(GuestFailure).In(Running, Do(StopVcpus, InternalError)).Rest(Never(still));
        On(DiskError).In(Running, Do(StopVcpus, IoError))
            .In(s_standing, Nothing("it stands still already")).In(RunState.Colo, Wait)
            .In([InMigrate, FinishMigrate, PostMigrate], Never("the disks are drained: no request is under way"));
        On(SecondaryGuestRequest).In(Running, Do(Defer)).Rest(Never(still));
        On(GuestSleep).Rest(Never("its DSDT offers no S3"));
        On(WatchdogExpires).Rest(Never("the machine has no watchdog; `set-action` only remembers what one would do"));
        On(Breakpoint).Rest(Never("there is no debugger stub"));
        On(Snapshot).Rest(Never("there are no snapshot commands"));
    }

    private static void Migration()
    {
        const string once = "comes once, before the guest is here";
        const string sender = "only a machine whose guest is here sends it away";
        On(IncomingStart).In(Prelaunch, Do(None, InMigrate)).Rest(Never("decided when the machine is built"));
        On(MigrationArrives).In(InMigrate, Do(Load, Arrived)).Rest(Never(once));
        On(MigrationArrivesHeld).In(InMigrate, Do(Load, Paused)).Rest(Never(once));
        On(ArrivalFails).In(InMigrate, Nothing("nothing of it runs here; the process ends, or waits for another")).Rest(Never(once));
        On(LoadFails).In(InMigrate, Do(None, InternalError)).Rest(Never(once));
        On(Switchover).In(s_guest, Do(Capture, FinishMigrate)).Rest(Never(sender));
        On(MigrationCompletes).In(FinishMigrate, Do(None, PostMigrate)).Rest(Never("follows a switchover"));
        On(MigrationFails).In(FinishMigrate, Do(Resume, Interrupted)).Rest(Never("follows a switchover"));
        On(MigrationFailsHeld).In(FinishMigrate, Do(None, Paused)).Rest(Never("follows a switchover"));
        On(MigrateCancel).In(Running, Nothing("the guest never stopped"))
            .In(s_standing, Nothing("the guest stays as it is")).In([InMigrate, PostMigrate], Nothing("nothing is on its way out"))
            .In(FinishMigrate, Nothing("the migration notices and fails")).In(RunState.Colo, Refuse("COLO is running: end it with x-colo-lost-heartbeat"));
        On(Migrate).In(s_guest, Nothing("the guest goes on as it is until the switchover"))
            .In(InMigrate, Refuse(Waits)).In(PostMigrate, Refuse(HasLeft)).In([FinishMigrate, RunState.Colo], Refuse(InProgress));
    }

    private static void Colo()
    {
        const string noGuest = "no guest is here that could be protected";
        const string arrived = "follows the first load: the guest is here and its session lives";
        const string inside = "the end of a pause: the state is the pause's";
        On(Protect).In(Running, Nothing("it runs on; the session's cut comes when the other side has its RAM"))
            .In(s_startable, Nothing("it stands on, and its copy will")).In(s_needReset, Refuse(NeedsReset))
            .In(InMigrate, Refuse(Waits)).In(PostMigrate, Refuse(HasLeft)).In([FinishMigrate, RunState.Colo], Refuse(InProgress));
        On(SessionCut).In(s_guest, Do(Capture, FinishMigrate)).Rest(Never(noGuest));
        On(SessionCutEnd).In(FinishMigrate, Do(Resume, Interrupted)).Rest(Never(inside));
        On(CheckpointCut).In(s_guest, Do(Capture, RunState.Colo)).Rest(Never(noGuest));
        On(CheckpointEnd).In(RunState.Colo, Do(Resume, Interrupted)).Rest(Never(inside));
        On(SessionLoad).In(InMigrate, Do(Load, RunState.Colo)).Rest(Never("begins a session on a machine that waits for a guest"));
        On(EpochBegin).In(s_guest, Do(Load, RunState.Colo)).Rest(Never(arrived));
        On(EpochEnd).In(RunState.Colo, Do(Resume, Arrived)).Rest(Never(inside));
        On(EpochEndHeld).In(RunState.Colo, Do(None, Paused)).Rest(Never(inside));
        On(EpochFails).In(RunState.Colo, Do(None, InternalError)).Rest(Never(inside));
        On(FailoverRequest).In(RunState.Colo, Wait).In(s_guest, Nothing("the failover machine takes it up; the guest goes on as it is"))
            .Rest(Refuse("VM is not in COLO mode"));
        On(TakeOver).In(RunState.Colo, Wait).In(s_guest, Do(CarryOutDeferred)).Rest(Never(arrived));
        On(LinkLoss).In(RunState.Colo, Wait).In(s_guest, Nothing("COLO_EXIT; the guest goes on as it is until someone decides"))
            .Rest(Nothing("a migration fails, the guest goes on as it is"));
        On(PeerOff).In(Running, Do(End, Shutdown)).In(s_standing, Do(End)).In(RunState.Colo, Wait).Rest(Never(arrived));
        On(PeerOffKept).In(Running, Do(KeepOff, Shutdown)).In(s_standing, Do(KeepOff, Shutdown)).In(RunState.Colo, Wait).Rest(Never(arrived));
        On(PeerQuit).In(RunState.Colo, Wait).In(s_guest, Nothing("COLO_EXIT; the guest goes on as it is until someone decides"))
            .Rest(Never(arrived));
    }

    /// <summary>Fills in one trigger's column; a pair that is filled twice or not at all stops the program at its start.</summary>
    private readonly record struct Rules(RunStateTrigger Trigger)
    {
        public Rules In(RunState state, RunStateRule rule)
        {
            if (s_rules[(int)state, (int)Trigger] is not null)
                throw new InvalidOperationException($"two rules for ({state.Name()}, {Trigger})");
            s_rules[(int)state, (int)Trigger] = rule;
            return this;
        }

        public Rules In(IEnumerable<RunState> states, RunStateRule rule)
        {
            foreach (RunState state in states)
                In(state, rule);
            return this;
        }

        public void Rest(RunStateRule rule)
        {
            foreach (RunState state in RunStateNames.All)
            {
                if (s_rules[(int)state, (int)Trigger] is null && !Absent.ContainsKey(state))
                    s_rules[(int)state, (int)Trigger] = rule;
            }
        }
    }
}
