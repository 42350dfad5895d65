using Kvm.Colo.Native;

namespace Kvm.Colo.Machine.Control;

/// <summary>
/// The one thread that owns run state, device lifecycle and every transition. Others post work to it or have it carry work out while
/// they wait; so two transitions never overlap, and what arrives in the middle of a checkpoint waits for its end.
/// </summary>
internal sealed class ControlLoop : IDisposable
{
    public const string ThreadName = "control";

    private readonly Lock _lock = new();
    private readonly Queue<Entry> _queue = new(64);
    private readonly FutexGate _arrived = new();
    private readonly Thread _thread;
    private readonly Action<Exception> _onFailure;
    private bool _stopping;

    /// <summary>Starts the thread; <paramref name="onFailure"/> reports exceptions of posted work.</summary>
    public ControlLoop(Action<Exception> onFailure)
    {
        _onFailure = onFailure;
        _thread = new Thread(Main) { Name = ThreadName, IsBackground = true };
        _thread.Start();
    }

    public bool IsCurrentThread => Thread.CurrentThread == _thread;

    /// <summary>Queues work and returns.</summary>
    /// <returns>False after Dispose: the work is dropped.</returns>
    public bool Post(Action work) => Enqueue(new Entry(work, null, null));

    /// <summary>
    /// Has the loop carry out <paramref name="work"/> and waits for its end. From the loop itself it runs at once. The completion may be
    /// reused by its owner when this has returned.
    /// </summary>
    /// <exception cref="TimeoutException">It did not end in time; it may still run later, so the completion must not be reused.</exception>
    public void Invoke(IControlWork work, ControlCompletion completion, TimeSpan deadline)
    {
        if (IsCurrentThread)
        {
            work.Execute();
            return;
        }

        completion.Reset();
        if (!Enqueue(new Entry(null, work, completion)))
            throw new ObjectDisposedException(nameof(ControlLoop), "the machine has ended");
        completion.Wait(deadline);
    }

    /// <summary>Carries out <paramref name="function"/> on the loop and returns its result; for commands, not for checkpoints.</summary>
    public T Invoke<T>(Func<T> function, TimeSpan deadline)
    {
        FunctionWork<T> work = new(function);
        ControlCompletion completion = new();
        Invoke(work, completion, deadline);
        return work.Result!;
    }

    public void Dispose()
    {
        lock (_lock)
            _stopping = true;
        _arrived.Set();
        if (!IsCurrentThread)
            _thread.Join(TimeSpan.FromSeconds(10));
    }

    private bool Enqueue(Entry entry)
    {
        lock (_lock)
        {
            if (_stopping)
                return false;
            _queue.Enqueue(entry);
        }

        _arrived.Set();

        return true;
    }

    private void Main()
    {
        ThreadScheduling.BecomeUrgent();
        while (TryTake(out Entry entry))
            Run(entry);
    }

    private bool TryTake(out Entry entry)
    {
        while (true)
        {
            lock (_lock)
            {
                if (_queue.TryDequeue(out entry))
                    return true;
                if (_stopping)
                    return false;
                _arrived.Reset();
            }

            _arrived.Wait();
        }
    }

    private void Run(Entry entry)
    {
        try
        {
            if (entry.Post is { } post)
                post();
            else
                entry.Work!.Execute();
            entry.Completion?.Complete(null);
        }
        catch (Exception e)
        {
            if (entry.Completion is { } completion)
                completion.Complete(e);
            else
                _onFailure(e);
        }
    }

    private readonly record struct Entry(Action? Post, IControlWork? Work, ControlCompletion? Completion);

    private sealed class FunctionWork<T>(Func<T> function) : IControlWork
    {
        public T? Result { get; private set; }

        public void Execute() => Result = function();
    }
}
