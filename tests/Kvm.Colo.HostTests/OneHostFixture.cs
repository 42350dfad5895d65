using System.Globalization;
using Xunit;

namespace Kvm.Colo.HostTests;

/// <summary>
/// One emulated host for a class of tests. It has one CPU: the faults of emulated hosts come of CPUs that interrupt each other, and two
/// hosts side by side keep this machine's processors as busy as one with two.
/// </summary>
public sealed class OneHostFixture : IDisposable
{
    // As in scenarios/lib.sh: limits end a hang, and a busy machine is several times slower than the quiet one they are given for.
    private const int Patience = 4;

    private static int s_count;
    private readonly string _name = string.Create(CultureInfo.InvariantCulture, $"one{Interlocked.Increment(ref s_count)}");
    private Testbed? _testbed;

    /// <summary>Runs a scenario of this project's folder; it says that it is ok, or the test fails with its output.</summary>
    public void Scenario(int seconds, string name, params string[] arguments)
    {
        string output = Run(seconds, [$"tests/Kvm.Colo.HostTests/scenarios/{name}", .. arguments]);
        Assert.Contains($"{name} ok", output, StringComparison.Ordinal);
    }

    /// <summary>Runs a command, on another host when that one fails, and returns its output; it must succeed.</summary>
    /// <param name="seconds">What it may take on a quiet machine.</param>
    /// <param name="command">Its words.</param>
    public string Run(int seconds, params string[] command)
    {
        return HostFaults.Outlive(RunOnce, End);

        string RunOnce()
        {
            _testbed ??= new Testbed(_name, hosts: 1);
            return _testbed.Run(1, TimeSpan.FromSeconds(seconds) * Patience, command);
        }
    }

    public void Dispose() => End();

    private void End()
    {
        _testbed?.Dispose();
        _testbed = null;
    }
}
