using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Stream;

namespace Kvm.Colo.SystemTests.Support;

/// <summary>Writes down what a machine and its migrations report, and lets a test wait for it.</summary>
internal sealed class MachineRecorder : IMachineObserver, IMigrationObserver
{
    private readonly Lock _lock = new();
    private readonly List<string> _events = [];
    private readonly ManualResetEventSlim _changed = new(false);

    public string[] Events
    {
        get
        {
            lock (_lock)
                return [.. _events];
        }
    }

    public void OnStop(DateTimeOffset when) => Count("STOP");

    public void OnResume() => Count("RESUME");

    public void OnShutdown(bool byGuest, ShutdownCause cause) => Add($"SHUTDOWN {byGuest} {cause}");

    public void OnReset(bool byGuest, ShutdownCause cause) => Add($"RESET {byGuest} {cause}");

    public void OnPanic(PanicAction action) => Add($"GUEST_PANICKED {action}");

    public void OnCrashLoaded() => Add("GUEST_CRASHLOADED");

    public void OnPowerdown() => Add("POWERDOWN");

    /// <summary>Runs on the control thread at every change of the run state; the vCPUs are parked when one leaves
    /// <see cref="RunState.Colo"/>.</summary>
    public Action<RunState, RunState>? RunStateChanged { get; set; }

    /// <summary>Runs on the migration thread before each checkpoint of a primary, with the number of the epoch it makes.</summary>
    public Action<int>? PassBegins { get; set; }

    /// <summary>Sees every word that is sent (true) or received, on the thread that does it.</summary>
    public Action<bool, ColoMessage>? ColoMessage { get; set; }

    /// <summary>Runs on the migration thread when an epoch is whole on the other side (primary) or live here (secondary).</summary>
    public Action<EpochRecord>? EpochEnds { get; set; }

    /// <summary>Sees every event on the thread that raises it.</summary>
    public Action<string>? OnEvent { get; set; }

    // STOP and RESUME tell the story; at a thousand checkpoints a second a list of states would bury it.
    public void OnRunState(RunState from, RunState to) => RunStateChanged?.Invoke(from, to);

    public void OnStatus(MigrationStatus status) => Add($"MIGRATION {status}");

    public void OnPass(int pass) => PassBegins?.Invoke(pass);

    public void OnColoExit(ColoMode mode, ColoExitReason reason) => Add($"COLO_EXIT {mode} {reason}");

    public void OnEpoch(ColoMode mode, in EpochRecord epoch) => EpochEnds?.Invoke(epoch);

    public void OnFailover(ColoMode mode, FailoverState state, ColoExitReason reason) => Add($"FAILOVER {mode} {state} {reason}");

    public void OnProgress(MigrationProgress progress)
    {
    }

    public void OnColoMessage(bool sent, ColoMessage message)
    {
        ColoMessage?.Invoke(sent, message);
        _changed.Set();
    }

    public void OnMessage(string text) => Add($"message: {text}");

    public int CountOf(string name)
    {
        lock (_lock)
            return _counts.GetValueOrDefault(name);
    }

    public void WaitFor(string prefix, int seconds = 30) =>
        WaitUntil(() => Events.Any(e => e.StartsWith(prefix, StringComparison.Ordinal)), prefix, seconds);

    public void WaitUntil(Func<bool> condition, string what, int seconds = 30)
    {
        long end = Environment.TickCount64 + (seconds * 1000L);
        while (true)
        {
            _changed.Reset();
            if (condition())
                return;
            long left = end - Environment.TickCount64;
            if (left <= 0)
                throw new TimeoutException($"'{what}' did not come within {seconds} s; seen:\n{string.Join('\n', Events)}");

            // Statistics and run states change a moment after the event that announces them, so look again now and then.
            _changed.Wait((int)Math.Min(left, 10));
        }
    }

    private readonly Dictionary<string, int> _counts = [];

    private void Count(string name)
    {
        lock (_lock)
            _counts[name] = _counts.GetValueOrDefault(name) + 1;
        _changed.Set();
    }

    private void Add(string text)
    {
        lock (_lock)
            _events.Add(text);
        _changed.Set();
        OnEvent?.Invoke(text);
    }
}
