namespace Kvm.Colo.Devices.Virtio;

/// <summary>
/// Counts one kind of trouble of one device and writes a line about it now and then. Used under the device's lock.
/// </summary>
/// <param name="prefix">What each line begins with: the device and whose fault it is.</param>
/// <param name="host">Gives the clock and takes the lines.</param>
internal sealed class VirtioFaults(string prefix, VirtioHost host)
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(10);
    private long _count;
    private long _lastTimestamp;
    private long _suppressed;

    public long Count => Volatile.Read(ref _count);

    /// <summary>Counts a fault. The text is a literal: only a line that is written costs memory.</summary>
    public void Report(string what, ulong value = 0)
    {
        Volatile.Write(ref _count, _count + 1);
        long now = host.Time.GetTimestamp();
        if (_count > 1 && host.Time.GetElapsedTime(_lastTimestamp, now) < s_interval)
        {
            _suppressed++;
            return;
        }

        _lastTimestamp = now;
        host.FaultLine($"{prefix}: {what} (0x{value:x}; {_suppressed} like it not shown)");
        _suppressed = 0;
    }
}
