using Kvm.Colo.Native;

namespace Kvm.Colo.Machine.Vcpus;

/// <summary>
/// Takes a share of the vCPUs' time, as QEMU's cpu-throttle does: after every 10 ms of running they rest for so long that the share is
/// right. Its thread lives while the share is not zero. A rest gives way to a park or a stop at once.
/// </summary>
internal sealed class VcpuThrottle(VcpuGroup group) : IDisposable
{
    public const int MaxPercent = 99;

    private static readonly TimeSpan s_run = TimeSpan.FromMilliseconds(10);

    private readonly Lock _lock = new();
    private readonly FutexGate _changed = new();
    private Thread? _thread;
    private volatile int _percent;

    /// <summary>The share in percent, 0 for none. One thread sets it.</summary>
    public int Percent
    {
        get => _percent;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaxPercent);
            Thread? ended = null;
            lock (_lock)
            {
                _percent = value;
                _changed.Set();
                if (value == 0)
                {
                    ended = _thread;
                    _thread = null;
                }
                else if (_thread is null)
                {
                    _thread = new Thread(Main) { Name = "throttle", IsBackground = true };
                    _thread.Start();
                }
            }

            ended?.Join(TimeSpan.FromSeconds(10));
        }
    }

    public void Dispose() => Percent = 0;

    private void Main()
    {
        ThreadScheduling.BecomeUrgent();
        while (true)
        {
            int percent = _percent;
            if (percent == 0)
                return;
            TimeSpan rest = s_run * percent / (100 - percent);
            group.Rest(rest);
            _changed.Reset();
            if (_percent == percent)
                _changed.Wait(rest + s_run);
        }
    }
}
