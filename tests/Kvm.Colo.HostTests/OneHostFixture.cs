namespace Kvm.Colo.HostTests;

/// <summary>One emulated host for a class of tests.</summary>
public class OneHostFixture : IDisposable
{
    // As in scenarios/lib.sh: limits end a hang, and a busy machine is several times slower than the quiet one they are given for.
    private const int Patience = 4;

    private readonly int _cpus;
    private Testbed? _testbed;

    /// <summary>A host with two CPUs.</summary>
    public OneHostFixture()
        : this(cpus: 2)
    {
    }

    private protected OneHostFixture(int cpus) => _cpus = cpus;

    /// <summary>Runs a scenario of this project's folder; it ends with status 0 or the test fails with its output.</summary>
    public string Scenario(TimeSpan deadline, string name, params string[] arguments)
    {
        return HostFaults.Outlive(Run, End);

        string Run()
        {
            _testbed ??= new Testbed("one", hosts: 1, _cpus);
            return _testbed.Run(1, deadline * Patience, [$"tests/Kvm.Colo.HostTests/scenarios/{name}", .. arguments]);
        }
    }

    public void Dispose()
    {
        End();
        GC.SuppressFinalize(this);
    }

    private void End()
    {
        _testbed?.Dispose();
        _testbed = null;
    }
}
