namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>Who is measured in a run: a contestant, and what is set in it.</summary>
/// <param name="Label">Unique in a comparison, for tables and files.</param>
/// <param name="Contestant">The VMM and its link.</param>
/// <param name="Parameters">Members of <c>migrate-set-parameters</c> with their values as JSON, set on both sides before the session begins.</param>
/// <param name="Options">Further options of the command line, of both sides.</param>
internal sealed record Subject(
    string Label, Contestant Contestant, IReadOnlyList<(string Name, string Json)> Parameters, IReadOnlyList<string> Options)
{
    public Subject(Contestant contestant)
        : this(contestant.Label, contestant, [], [])
    {
    }

    public bool IsQemu => Contestant.IsQemu;
}
