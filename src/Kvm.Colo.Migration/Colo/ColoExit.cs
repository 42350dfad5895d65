using Kvm.Colo.Native;

namespace Kvm.Colo.Migration.Colo;

/// <summary>The end of a session on either side: COLO_EXIT with its true reason, then the failover, asked for or still to be asked for.</summary>
internal static class ColoExit
{
    /// <summary>The machine itself has ended: the session with it, on purpose.</summary>
    public static void End(MigrationControl control)
    {
        control.SetStatus(MigrationStatus.Completed);
        control.OnColoExit(ColoExitReason.Request);
    }

    /// <summary>
    /// Announces the exit, waits until a failover is requested (without a limit: that decision is the operator's) or the migration is
    /// cancelled, and completes it with <paramref name="takeOver"/>.
    /// </summary>
    public static void Complete(MigrationControl control, Action takeOver)
    {
        bool announced = control.Failover.Reason == ColoExitReason.Error || control.Failover.IsClosed;
        if (announced)
            control.OnColoExit(control.Failover.Reason);
        FutexGate signal = new();
        control.AttachSignal(signal);
        while (!control.Failover.TryBegin())
        {
            signal.Reset();
            if (control.Failover.State == FailoverState.Require)
                continue;
            if (control.Cancelled.WaitOne(0))
            {
                control.SetStatus(MigrationStatus.Cancelled);
                return;
            }

            signal.Wait();
        }

        takeOver();
        control.Failover.TryComplete();
        control.SetStatus(MigrationStatus.Completed);
        if (!announced)
            control.OnColoExit(ColoExitReason.Request);
    }
}
