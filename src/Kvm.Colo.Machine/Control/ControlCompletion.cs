using System.Runtime.ExceptionServices;
using Kvm.Colo.Native;

namespace Kvm.Colo.Machine.Control;

/// <summary>The end of one piece of control work, reused by the thread that waits for it.</summary>
internal sealed class ControlCompletion
{
    private readonly FutexGate _done = new();
    private Exception? _failure;

    /// <summary>Makes it ready for the next piece of work.</summary>
    public void Reset()
    {
        _failure = null;
        _done.Reset();
    }

    public void Complete(Exception? failure)
    {
        _failure = failure;
        _done.Set();
    }

    /// <summary>Waits for the end and throws what the work threw.</summary>
    /// <exception cref="TimeoutException">The work did not end in time.</exception>
    public void Wait(TimeSpan deadline)
    {
        if (!_done.Wait(deadline))
            throw new TimeoutException($"the control loop did not finish within {deadline.TotalSeconds:0.#} s");
        if (_failure is { } failure)
            ExceptionDispatchInfo.Capture(failure).Throw();
    }
}
