using Kvm.Colo.Machine;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Migration.Incoming;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Migration.Outgoing;
using Kvm.Colo.Native;

namespace Kvm.Colo.Migration;

/// <summary>
/// All migrations of one machine: starts them, each on its own thread, and answers for them to the control socket. At most one is under
/// way. Thread-safe.
/// </summary>
internal sealed class MigrationManager(VirtualMachine machine, MigrationSettings settings, IMigrationObserver observer) : IDisposable
{
    private static readonly TimeSpan s_retryInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_windDownDeadline = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly ManualResetEvent _ending = new(false);
    private MigrationControl? _current;
    private Thread? _thread;
    private LinkListener? _listener;
    private ColoMode _lastMode;
    private bool _incomingAsked;
    private bool _isDisposed;

    public MigrationSettings Settings { get; } = settings;

    /// <summary>The migration under way or the last one, null before the first.</summary>
    public MigrationControl? Current
    {
        get
        {
            lock (_lock)
                return _current;
        }
    }

    /// <summary>Where incoming migrations are listened for, null when nowhere.</summary>
    public MigrationUri? ListeningOn
    {
        get
        {
            lock (_lock)
                return _listener?.BoundUri;
        }
    }

    /// <summary>The part this side plays now (query-colo-status mode): derived from the status, not stored.</summary>
    public ColoMode Mode => Current is { Status: MigrationStatus.Colo } current ? current.Side : ColoMode.None;

    /// <summary>The part it played when a failover began (query-colo-status last-mode).</summary>
    public ColoMode LastMode
    {
        get
        {
            lock (_lock)
                return _lastMode;
        }
    }

    /// <summary>Pauses of the machine into which a garbage collection fell, since its start.</summary>
    public long PausesWithCollection => machine.PausesWithCollection;

    /// <summary>Managed memory allocated inside pauses of the machine since its start, in bytes.</summary>
    public long PauseAllocatedBytes => machine.PauseAllocatedBytes;

    /// <summary>QMP <c>migrate</c>: one attempt.</summary>
    /// <exception cref="MigrationException">Refused in the present state; nothing has changed.</exception>
    public void Migrate(MigrationUri uri)
    {
        lock (_lock)
        {
            RequireIdle();
            RequireGuest(Settings.Colo ? RunStateTrigger.Protect : RunStateTrigger.Migrate);
            Launch(ColoMode.Primary, control => RunOutgoing(uri, control));
        }
    }

    /// <summary>Protects the guest: keeps trying until the peer at <paramref name="uri"/> has taken it into COLO.</summary>
    /// <exception cref="MigrationException">A migration is under way.</exception>
    public void Protect(MigrationUri uri)
    {
        Settings.Colo = true;
        lock (_lock)
        {
            RequireIdle();
            RequireGuest(RunStateTrigger.Protect);
            Launch(ColoMode.Primary, control => RunProtection(uri, control));
        }
    }

    /// <summary>QMP <c>migrate-incoming</c>: waits for one guest, or, for a standing secondary, for the next when one did not arrive.</summary>
    /// <exception cref="MigrationException">This machine waits for no guest, or it does so already.</exception>
    /// <exception cref="LinkException">The address cannot be listened on or opened.</exception>
    public void Listen(MigrationUri uri, bool keepListening)
    {
        lock (_lock)
        {
            if (machine.State != RunState.InMigrate)
                throw new MigrationException("'-incoming' was not specified on the command line");
            if (_incomingAsked)
                throw new MigrationException("The incoming migration has already been started");
            RequireIdle();
            bool isSocket = uri.Transport is MigrationTransport.Tcp or MigrationTransport.Unix;
            LinkListener? listener = isSocket ? new LinkListener(uri) : null;
            ILink? link = isSocket ? null : LinkFactory.OpenIncoming(uri);
            _listener = listener;
            _incomingAsked = true;
            Launch(ColoMode.Secondary, control => RunListening(listener, link, keepListening, control));
        }
    }

    /// <summary>QMP <c>migrate_cancel</c>: without effect when nothing is under way.</summary>
    /// <exception cref="MigrationException">A COLO session ends by failover, not by cancelling.</exception>
    public void Cancel()
    {
        MigrationControl? current = Current;
        if (current is null || !current.IsRunning || current.Side == ColoMode.Secondary)
            return;
        if (current.Status == MigrationStatus.Colo)
            throw new MigrationException("COLO is running: end it with x-colo-lost-heartbeat");
        current.SetStatus(MigrationStatus.Cancelling);
        current.Cancel();
    }

    /// <summary>QMP <c>x-colo-lost-heartbeat</c>: this side goes on alone.</summary>
    /// <exception cref="MigrationException">Not in COLO, or a failover was asked for before.</exception>
    public void LostHeartbeat()
    {
        MigrationControl? current = Current;
        if (current is null || current.Status != MigrationStatus.Colo)
            throw new MigrationException("VM is not in COLO mode");
        lock (_lock)
            _lastMode = current.Side;
        if (!current.RequestFailover())
            throw new MigrationException("COLO failover is already activated");
    }

    /// <summary>Asks for a checkpoint now.</summary>
    /// <exception cref="MigrationException">This is not a primary in COLO.</exception>
    public void RequestCheckpoint()
    {
        if (Mode != ColoMode.Primary)
            throw new MigrationException("VM is not a COLO primary");
        Current!.RequestCheckpoint(CheckpointCause.Request);
    }

    /// <summary>Ends whatever is under way and waits for its thread.</summary>
    public void Dispose()
    {
        Thread? thread;
        lock (_lock)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            _ending.Set();
            thread = _thread;
            _listener?.Dispose();
        }

        AwaitGoodbye(thread);
        Current?.Cancel();
        if (thread is null || thread.Join(TimeSpan.FromSeconds(10)))
            _ending.Dispose();
    }

    // A machine that has ended tells its peer so; that takes a last checkpoint, or as long as a peer may be silent.
    private void AwaitGoodbye(Thread? thread)
    {
        if (Mode != ColoMode.None && machine.Ended.IsCompleted)
            thread?.Join(TimeSpan.FromMilliseconds(2L * Settings.HeartbeatTimeoutMs));
    }

    private void RequireIdle()
    {
        if (_isDisposed)
            throw new MigrationException("the machine is ending");
        if (_current?.IsRunning == true)
            throw new MigrationException("There's a migration process in progress");
    }

    private void RequireGuest(RunStateTrigger trigger)
    {
        if (machine.RefusalOf(trigger) is { } why)
            throw new MigrationException(why);
    }

    private void Launch(ColoMode side, Action<MigrationControl> body)
    {
        MigrationControl control = new(observer, side);
        _current = control;
        control.SetStatus(MigrationStatus.Setup);
        // One that has reported its end is over, though its thread may still have its things to put away: the next one waits for that.
        Thread? former = _thread;
        _thread = new Thread(() => Guard(control, former, body)) { Name = "migration", IsBackground = true };
        _thread.Start();
    }

    // Every failure of a migration ends here, once.
    private static void Guard(MigrationControl control, Thread? former, Action<MigrationControl> body)
    {
        ThreadScheduling.BecomeUrgent();
        try
        {
            if (former?.Join(s_windDownDeadline) == false)
                throw new MigrationException("the former migration does not end");
            body(control);
        }
        catch (Exception e)
        {
            Fail(control, e);
        }
        finally
        {
            control.Detach();
        }
    }

    private static void Fail(MigrationControl control, Exception e)
    {
        if (control.Status == MigrationStatus.Cancelling || control.Cancelled.WaitOne(0))
        {
            control.SetStatus(MigrationStatus.Cancelled);
            return;
        }

        control.SetError(e.Message);
        control.OnMessage(e is LinkException or MigrationException or TimeoutException ? e.Message : e.ToString());
        control.SetStatus(MigrationStatus.Failing);
        control.SetStatus(MigrationStatus.Failed);
    }

    private void RunOutgoing(MigrationUri uri, MigrationControl control)
    {
        ILink link = LinkFactory.Connect(uri, MigrationConstants.ConnectDeadline);
        using OutgoingMigration migration = new(machine, Settings, control, link);
        migration.Run();
    }

    private void RunProtection(MigrationUri uri, MigrationControl control)
    {
        string? lastProblem = null;
        while (!_ending.WaitOne(0) && !control.Cancelled.WaitOne(0))
        {
            try
            {
                RunOutgoing(uri, control);
                return;
            }
            catch (Exception e) when ((e is LinkException or MigrationException) && control.Status != MigrationStatus.Colo)
            {
                if (e.Message != lastProblem)
                    control.OnMessage($"not protected yet: {e.Message}");
                lastProblem = e.Message;
            }

            control.SetStatus(MigrationStatus.Setup);
            WaitHandle.WaitAny([_ending, control.Cancelled], s_retryInterval);
        }

        control.SetStatus(MigrationStatus.Cancelled);
    }

    private void RunListening(LinkListener? listener, ILink? opened, bool keepListening, MigrationControl control)
    {
        string? lastProblem = null;
        while (true)
        {
            using ILink link = opened ?? listener!.Accept();
            try
            {
                using IncomingMigration migration = new(machine, Settings, control, link);
                migration.Run();
                break;
            }
            catch (Exception e) when (keepListening && machine.State == RunState.InMigrate && (e is LinkException or MigrationException))
            {
                if (e.Message != lastProblem)
                    control.OnMessage($"{e.Message}; waiting for a primary again");
                lastProblem = e.Message;
                control.SetStatus(MigrationStatus.Setup);
            }
        }

        lock (_lock)
        {
            _listener?.Dispose();
            _listener = null;
        }
    }
}
