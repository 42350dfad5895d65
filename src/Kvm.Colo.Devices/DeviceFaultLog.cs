using Microsoft.Extensions.Logging;

namespace Kvm.Colo.Devices;

/// <summary>One line per interval for a device that misbehaves under its guest, with the number of lines left out.</summary>
internal sealed partial class DeviceFaultLog(ILogger logger, TimeProvider time)
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(10);
    private readonly Lock _lock = new();
    private long _lastTimestamp;
    private bool _hasLogged;
    private long _suppressed;

    /// <summary>Reports an exception that stopped at the device boundary.</summary>
    public void Report(string deviceName, Exception exception)
    {
        if (TryEnter(out long suppressed))
            LogFault(logger, deviceName, exception.Message, suppressed, exception);
    }

    /// <summary>Reports something the guest did wrong; the device has already dealt with it.</summary>
    public void ReportGuest(string deviceName, string what)
    {
        if (TryEnter(out long suppressed))
            LogGuestFault(logger, deviceName, what, suppressed);
    }

    private bool TryEnter(out long suppressed)
    {
        lock (_lock)
        {
            long now = time.GetTimestamp();
            if (_hasLogged && time.GetElapsedTime(_lastTimestamp, now) < s_interval)
            {
                _suppressed++;
                suppressed = 0;
                return false;
            }

            _hasLogged = true;
            _lastTimestamp = now;
            suppressed = _suppressed;
            _suppressed = 0;
            return true;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Device}: access failed: {Reason} ({Suppressed} like it not shown)")]
    private static partial void LogFault(ILogger logger, string device, string reason, long suppressed, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Device}: guest fault: {Reason} ({Suppressed} like it not shown)")]
    private static partial void LogGuestFault(ILogger logger, string device, string reason, long suppressed);
}
