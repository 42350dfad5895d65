namespace Kvm.Colo.Devices.Tests.Virtio.Support;

/// <summary>An interrupt pin that remembers.</summary>
internal sealed class RecordingLine : IInterruptLine
{
    private readonly object _lock = new();
    private bool _level;
    private int _rises;

    public bool Level
    {
        get
        {
            lock (_lock)
                return _level;
        }
    }

    public int Rises
    {
        get
        {
            lock (_lock)
                return _rises;
        }
    }

    public void Set(bool level)
    {
        lock (_lock)
        {
            if (level && !_level)
            {
                _rises++;
                Monitor.PulseAll(_lock);
            }

            _level = level;
        }
    }

    /// <summary>
    /// Waits until the pin rises or has risen with the condition met. A rise between the caller's own look and this call is seen
    /// by the condition, which is asked under the lock that a rise takes.
    /// </summary>
    public void WaitForRiseOr(Func<bool> condition)
    {
        lock (_lock)
        {
            int before = _rises;
            while (_rises == before && !condition())
                Assert.True(Monitor.Wait(_lock, TimeSpan.FromSeconds(20)), "no interrupt within 20 s");
        }
    }
}
