namespace Kvm.Colo.Qmp.Hosting;

/// <summary>Arguments of <c>set-action</c>; null leaves an action as it is.</summary>
internal sealed record QmpActions(
    QmpRebootAction? Reboot, QmpShutdownAction? Shutdown, QmpPanicAction? Panic, QmpWatchdogAction? Watchdog);

/// <summary>QAPI <c>RebootAction</c>.</summary>
internal enum QmpRebootAction
{
    Reset,
    Shutdown,
}

/// <summary>QAPI <c>ShutdownAction</c>.</summary>
internal enum QmpShutdownAction
{
    PowerOff,
    Pause,
}

/// <summary>QAPI <c>PanicAction</c>.</summary>
internal enum QmpPanicAction
{
    Pause,
    Shutdown,
    ExitFailure,
    None,
}

/// <summary>QAPI <c>WatchdogAction</c>.</summary>
internal enum QmpWatchdogAction
{
    Reset,
    Shutdown,
    PowerOff,
    Pause,
    Debug,
    None,
    InjectNmi,
}
