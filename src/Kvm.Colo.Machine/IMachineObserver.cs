namespace Kvm.Colo.Machine;

/// <summary>Hears of what happens to a machine, on the control loop thread; must return at once and must not throw.</summary>
internal interface IMachineObserver
{
    /// <summary>The vCPUs have stopped (QAPI STOP). Of a checkpoint's pause it is told when the pause is over.</summary>
    void OnStop(DateTimeOffset when);

    /// <summary>The vCPUs run (QAPI RESUME).</summary>
    void OnResume();

    /// <summary>The machine ends, or stays switched off (QAPI SHUTDOWN).</summary>
    void OnShutdown(bool byGuest, ShutdownCause cause);

    /// <summary>The machine was reset (QAPI RESET).</summary>
    void OnReset(bool byGuest, ShutdownCause cause);

    /// <summary>The guest reported a panic (QAPI GUEST_PANICKED), and this follows.</summary>
    void OnPanic(PanicAction action);

    /// <summary>The guest has crashed and its crash kernel takes over (QAPI GUEST_CRASHLOADED).</summary>
    void OnCrashLoaded();

    /// <summary>The power button was pressed (QAPI POWERDOWN).</summary>
    void OnPowerdown();

    /// <summary>
    /// The guest has changed the size of its balloon (QAPI BALLOON_CHANGE) and has so many bytes of its RAM now. On a vCPU's thread.
    /// </summary>
    void OnBalloon(ulong actualBytes)
    {
    }

    /// <summary>The pause of a checkpoint begins, before any vCPU is asked to stop, or is over, after all were told to go on.</summary>
    void OnCheckpointPause(bool begins)
    {
    }

    /// <summary>The run state changed; for traces.</summary>
    void OnRunState(RunState from, RunState to);
}
