using Kvm.Colo.Native;
using Kvm.Colo.Native.Io;

namespace Kvm.Colo.Devices.Tests.Virtio.Support;

/// <summary>
/// A loop whose turns the test takes itself: posted work runs in <see cref="RunPosted"/>, timers when the test fires them.
/// </summary>
internal sealed class TestLoop : IIoLoop
{
    private readonly Queue<Action> _posted = new(256);

    public List<Registration> Registrations { get; } = [];

    public List<Timer> Timers { get; } = [];

    public bool IsCurrent => true;

    public IIoRegistration Register(SafeDescriptor descriptor, IoEvents events, Action<IoEvents> callback)
    {
        var registration = new Registration(callback) { Events = events };
        Registrations.Add(registration);
        return registration;
    }

    public void Post(Action callback)
    {
        lock (_posted)
            _posted.Enqueue(callback);
    }

    public IIoTimer CreateTimer(Action callback)
    {
        var timer = new Timer(callback);
        Timers.Add(timer);
        return timer;
    }

    /// <summary>Runs what has been posted, and what that posts; returns how many callbacks ran.</summary>
    public int RunPosted(int limit = 10_000)
    {
        for (int count = 0; count < limit; count++)
        {
            Action callback;
            lock (_posted)
            {
                if (!_posted.TryDequeue(out callback!))
                    return count;
            }

            callback();
        }

        return limit;
    }

    internal sealed class Registration(Action<IoEvents> callback) : IIoRegistration
    {
        public IoEvents Events { get; set; }

        public void Update(IoEvents events) => Events = events;

        public void Fire(IoEvents events) => callback(events);

        public void Dispose() => Events = IoEvents.None;
    }

    internal sealed class Timer(Action callback) : IIoTimer
    {
        public bool IsStarted { get; private set; }

        public TimeSpan Delay { get; private set; }

        public void Start(TimeSpan delay)
        {
            IsStarted = true;
            Delay = delay;
        }

        public void Stop() => IsStarted = false;

        public void Fire()
        {
            IsStarted = false;
            callback();
        }

        public void Dispose() => Stop();
    }
}
