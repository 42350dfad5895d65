using System.Runtime.InteropServices;

namespace Kvm.Colo.Native.Io;

/// <summary>
/// The I/O thread: one named thread over epoll for taps, notifications, disk completions and serial input. A callback that throws
/// is reported and the loop goes on. Allocates nothing per event.
/// </summary>
internal sealed unsafe partial class EpollLoop : IIoLoop, IDisposable
{
    private const int MaxEvents = 64;
    private const int AddOperation = 1;
    private const int DeleteOperation = 2;
    private const int ModifyOperation = 3;
    private const ulong WakeToken = ulong.MaxValue;
    private static readonly TimeSpan s_joinDeadline = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly Action<Exception> _onFault;
    private readonly SafeDescriptor _epoll;
    private readonly SafeDescriptor _wake;
    private readonly List<Registration?> _registrations = [];
    private readonly List<LoopTimer> _timers = [];
    private readonly Thread _thread;
    private List<Action> _posted = [];
    private List<Action> _running = [];
    private uint _generation;
    private bool _wakeSent;
    private bool _stopping;

    /// <summary>Starts the thread.</summary>
    /// <param name="name">The thread's name; the process has one loop called <c>io</c>.</param>
    /// <param name="onFault">Told, on the loop's thread, what a callback threw.</param>
    /// <param name="time">The clock of the timers.</param>
    /// <exception cref="NativeException">The kernel has no descriptor left.</exception>
    public EpollLoop(string name, Action<Exception> onFault, TimeProvider time)
    {
        _onFault = onFault;
        _time = time;
        _epoll = SafeDescriptor.From("epoll_create1", Shim.EpollCreate());
        _wake = SafeDescriptor.From("eventfd", Shim.EventFd(0));
        NativeException.Check("epoll_ctl", Shim.EpollCtl(_epoll, AddOperation, _wake, (uint)IoEvents.Readable, WakeToken));
        _thread = new Thread(Run) { Name = name, IsBackground = true };
        _thread.Start();
    }

    public bool IsCurrent => Thread.CurrentThread == _thread;

    public IIoRegistration Register(SafeDescriptor descriptor, IoEvents events, Action<IoEvents> callback)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            int slot = _registrations.IndexOf(null);
            if (slot < 0)
            {
                slot = _registrations.Count;
                _registrations.Add(null);
            }

            var registration = new Registration(this, descriptor, callback, slot, ++_generation);
            registration.Watch(events);
            _registrations[slot] = registration;
            return registration;
        }
    }

    public void Post(Action callback)
    {
        lock (_lock)
        {
            _posted.Add(callback);
            SendWake();
        }
    }

    public IIoTimer CreateTimer(Action callback) => new LoopTimer(this, callback);

    /// <summary>Ends the thread and joins it; posted work that has not begun is dropped.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_stopping)
                return;
            _stopping = true;
            SendWake();
        }

        if (!IsCurrent && !_thread.Join(s_joinDeadline))
            throw new TimeoutException($"thread {_thread.Name} did not end within {s_joinDeadline.TotalSeconds} s");
        _epoll.Dispose();
        _wake.Dispose();
    }

    private void SendWake()
    {
        if (_wakeSent)
            return;
        _wakeSent = true;
        ulong one = 1;
        Shim.Write(_wake, &one, sizeof(ulong));
    }

    private void Run()
    {
        ThreadScheduling.BecomePrompt();
        EpollEvent* events = stackalloc EpollEvent[MaxEvents];
        while (true)
        {
            int timeout = NextTimeout();
            long count = Shim.EpollWait(_epoll, events, MaxEvents, timeout);
            for (int i = 0; i < count; i++)
                Dispatch(events[i]);
            RunTimers();
            if (!RunPosted())
                return;
        }
    }

    private void Dispatch(EpollEvent happened)
    {
        if (happened.Data == WakeToken)
            return;
        int slot = (int)(uint)happened.Data;
        Registration? registration;
        lock (_lock)
            registration = slot < _registrations.Count ? _registrations[slot] : null;
        if (registration is null || registration.Generation != (uint)(happened.Data >> 32))
            return;
        try
        {
            registration.Callback((IoEvents)happened.Events);
        }
        catch (Exception e)
        {
            _onFault(e);
        }
    }

    private bool RunPosted()
    {
        lock (_lock)
        {
            if (_stopping)
                return false;
            if (_wakeSent)
            {
                _wakeSent = false;
                ulong ignored;
                Shim.Read(_wake, &ignored, sizeof(ulong));
            }

            (_posted, _running) = (_running, _posted);
        }

        foreach (Action callback in _running)
            Invoke(callback);
        _running.Clear();
        return true;
    }

    private void Invoke(Action callback)
    {
        try
        {
            callback();
        }
        catch (Exception e)
        {
            _onFault(e);
        }
    }

    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    private struct EpollEvent
    {
        public uint Events;
        public ulong Data;
    }
}
