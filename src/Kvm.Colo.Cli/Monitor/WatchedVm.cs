using System.Diagnostics;
using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Client;

namespace Kvm.Colo.Cli.Monitor;

/// <summary>A VM that <c>top</c> looks at again and again, and its last two looks. One thread.</summary>
internal sealed class WatchedVm(QmpAddress address) : IDisposable
{
    private readonly QmpClient _client = MonitorClient.Connect(address);
    private long _lastLook;

    public QmpAddress Address => address;

    /// <summary>Null before the first look.</summary>
    public VmStatus? Now { get; private set; }

    public VmStatus? Before { get; private set; }

    /// <summary>Between the last two looks.</summary>
    public TimeSpan Elapsed { get; private set; }

    /// <summary>The VM has gone since; <see cref="Now"/> stays what it was.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Looks at it, unless it has ended.</summary>
    /// <exception cref="QmpConnectionException">It ended before the first look.</exception>
    public void Look()
    {
        if (HasEnded)
            return;
        try
        {
            VmStatus status = VmStatus.Read(_client);
            (Before, Now) = (Now, status);
            Elapsed = _lastLook == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(_lastLook);
            _lastLook = Stopwatch.GetTimestamp();
        }
        catch (QmpConnectionException) when (Now is not null)
        {
            HasEnded = true;
        }
    }

    public IReadOnlyList<(string Name, string Value)> Describe() =>
        HasEnded ? [("name", Now!.Name.Length > 0 ? Now.Name : "-"), ("guest", "ended")] : StatusLines.Describe(Now!, Before, Elapsed);

    public void Dispose() => _client.Dispose();
}
