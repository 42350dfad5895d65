using System.Runtime.ExceptionServices;

namespace Kvm.Colo.TestKit;

/// <summary>A named thread whose failure reaches the test that joins it.</summary>
internal sealed class TestThread
{
    private readonly Thread _thread;
    private ExceptionDispatchInfo? _failure;

    private TestThread(string name, Action body)
    {
        _thread = new Thread(() => Run(body)) { Name = name, IsBackground = true };
        _thread.Start();
    }

    public static TestThread Start(string name, Action body) => new(name, body);

    /// <summary>Waits for the end and throws what the thread threw.</summary>
    /// <exception cref="TimeoutException">It has not ended in time.</exception>
    public void Join(TimeSpan deadline)
    {
        if (!_thread.Join(deadline))
            throw new TimeoutException($"thread {_thread.Name} is still running after {deadline}");
        _failure?.Throw();
    }

    private void Run(Action body)
    {
        try
        {
            body();
        }
        catch (Exception e)
        {
            _failure = ExceptionDispatchInfo.Capture(e);
        }
    }
}
