namespace Kvm.Colo.Native.Io;

/// <content>Timers: few, one-shot, looked through on every turn.</content>
internal sealed unsafe partial class EpollLoop
{
    private int NextTimeout()
    {
        lock (_lock)
        {
            if (_stopping || _posted.Count > 0)
                return 0;
            long earliest = long.MaxValue;
            foreach (LoopTimer timer in _timers)
                earliest = Math.Min(earliest, timer.Due);
            if (earliest == long.MaxValue)
                return -1;
            TimeSpan left = _time.GetElapsedTime(_time.GetTimestamp(), earliest);
            return left <= TimeSpan.Zero ? 0 : (int)Math.Min(int.MaxValue, Math.Ceiling(left.TotalMilliseconds));
        }
    }

    private void RunTimers()
    {
        while (TakeDueTimer() is { } timer)
            Invoke(timer.Callback);
    }

    private LoopTimer? TakeDueTimer()
    {
        lock (_lock)
        {
            if (_timers.Count == 0)
                return null;
            long now = _time.GetTimestamp();
            for (int i = 0; i < _timers.Count; i++)
            {
                LoopTimer timer = _timers[i];
                if (timer.Due > now)
                    continue;
                _timers.RemoveAt(i);
                return timer;
            }

            return null;
        }
    }

    private sealed class LoopTimer(EpollLoop loop, Action callback) : IIoTimer
    {
        public Action Callback { get; } = callback;

        public long Due { get; private set; }

        public void Start(TimeSpan delay)
        {
            lock (loop._lock)
            {
                loop._timers.Remove(this);
                Due = loop._time.GetTimestamp() + (long)(delay.TotalSeconds * loop._time.TimestampFrequency);
                loop._timers.Add(this);
                if (!loop._stopping)
                    loop.SendWake();
            }
        }

        public void Stop()
        {
            lock (loop._lock)
                loop._timers.Remove(this);
        }

        public void Dispose() => Stop();
    }
}
