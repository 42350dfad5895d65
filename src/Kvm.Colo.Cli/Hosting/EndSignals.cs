using System.Runtime.InteropServices;

namespace Kvm.Colo.Cli.Hosting;

/// <summary>
/// SIGINT, SIGTERM and SIGHUP ask for a clean end. A second one takes the runtime's ordinary course, which ends the process at
/// once, so that a VM that cannot end cleanly still ends.
/// </summary>
internal sealed class EndSignals : IDisposable
{
    private readonly PosixSignalRegistration[] _registrations;
    private readonly Action _onFirst;
    private readonly Action _onSecond;
    private int _count;

    public EndSignals(Action onFirst, Action onSecond)
    {
        _onFirst = onFirst;
        _onSecond = onSecond;
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal),
        ];
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        if (Interlocked.Increment(ref _count) == 1)
        {
            context.Cancel = true;
            _onFirst();
        }
        else
        {
            _onSecond();
        }
    }
}
