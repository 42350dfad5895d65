using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Benchmarks.Pair;

/// <summary>Hears everything and says nothing but errors.</summary>
internal sealed class Silent : IMachineObserver, IMigrationObserver
{
    public static readonly Silent Instance = new();

    public void OnStop(DateTimeOffset when)
    {
    }

    public void OnResume()
    {
    }

    public void OnShutdown(bool byGuest, ShutdownCause cause)
    {
    }

    public void OnReset(bool byGuest, ShutdownCause cause)
    {
    }

    public void OnPanic(PanicAction action)
    {
    }

    public void OnCrashLoaded()
    {
    }

    public void OnPowerdown()
    {
    }

    public void OnRunState(RunState from, RunState to)
    {
    }

    public void OnStatus(MigrationStatus status)
    {
    }

    public void OnPass(int pass)
    {
    }

    public void OnColoExit(ColoMode mode, ColoExitReason reason) => Console.Error.WriteLine($"COLO_EXIT {mode} {reason}");

    public void OnEpoch(ColoMode mode, in EpochRecord epoch)
    {
    }

    public void OnFailover(ColoMode mode, FailoverState state, ColoExitReason reason)
    {
    }

    public void OnProgress(MigrationProgress progress)
    {
    }

    public void OnColoMessage(bool sent, ColoMessage message)
    {
    }

    public void OnMessage(string text) => Console.Error.WriteLine(text);
}
