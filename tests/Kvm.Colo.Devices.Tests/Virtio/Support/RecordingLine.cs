namespace Kvm.Colo.Devices.Tests.Virtio.Support;

/// <summary>An interrupt pin that remembers.</summary>
internal sealed class RecordingLine : IInterruptLine
{
    private readonly object _lock = new();
    private bool _level;
    private int _rises;
    private int _awaited;

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

    /// <summary>Waits until the pin has risen once more than it was waited for.</summary>
    public void WaitForRise()
    {
        lock (_lock)
        {
            _awaited++;
            while (_rises < _awaited)
                Assert.True(Monitor.Wait(_lock, TimeSpan.FromSeconds(20)), "no interrupt within 20 s");
        }
    }
}
