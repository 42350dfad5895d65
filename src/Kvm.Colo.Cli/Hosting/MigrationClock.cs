using System.Diagnostics;
using Kvm.Colo.Migration;

namespace Kvm.Colo.Cli.Hosting;

/// <summary>How long a migration has taken, from its status changes; any thread.</summary>
internal sealed class MigrationClock
{
    private readonly Lock _lock = new();
    private long _start;
    private TimeSpan? _setup;
    private TimeSpan? _total;

    /// <summary>From the command to the first byte of RAM, null before.</summary>
    public TimeSpan? Setup
    {
        get
        {
            lock (_lock)
                return _setup;
        }
    }

    /// <summary>
    /// From the command until its end or, for COLO, until the pair was formed; else until now. Null before the first.
    /// </summary>
    public TimeSpan? Total
    {
        get
        {
            lock (_lock)
                return _total ?? (_start == 0 ? null : Stopwatch.GetElapsedTime(_start));
        }
    }

    public void OnStatus(MigrationStatus status)
    {
        lock (_lock)
        {
            switch (status)
            {
                case MigrationStatus.Setup:
                    _start = Stopwatch.GetTimestamp();
                    _setup = null;
                    _total = null;
                    break;
                case MigrationStatus.Active:
                    _setup = Stopwatch.GetElapsedTime(_start);
                    break;
                case MigrationStatus.Completed or MigrationStatus.Failed or MigrationStatus.Cancelled or MigrationStatus.Colo:
                    _total ??= Stopwatch.GetElapsedTime(_start);
                    break;
            }
        }
    }
}
