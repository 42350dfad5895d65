namespace Kvm.Colo.HostTests;

/// <summary>One emulated host for a class of tests.</summary>
public sealed class OneHostFixture : IDisposable
{
    // As in scenarios/lib.sh: limits end a hang, and a busy machine is several times slower than the quiet one they are given for.
    private const int Patience = 4;

    private Testbed? _testbed;

    /// <summary>Runs a scenario of this project's folder; it ends with status 0 or the test fails with its output.</summary>
    public string Scenario(TimeSpan deadline, string name, params string[] arguments)
    {
        return HostFaults.Outlive(Run, Dispose);

        string Run()
        {
            _testbed ??= new Testbed("one", 1);
            return _testbed.Run(1, deadline * Patience, [$"tests/Kvm.Colo.HostTests/scenarios/{name}", .. arguments]);
        }
    }

    public void Dispose()
    {
        _testbed?.Dispose();
        _testbed = null;
    }
}
