namespace Kvm.Colo.Kvm;

/// <summary>This host cannot run a VM (exit status 3). The message is one line: what is missing, and the remedy in parentheses.</summary>
internal sealed class KvmUnavailableException(string problem, string remedy) : Exception($"{problem} ({remedy})")
{
    public string Problem { get; } = problem;

    public string Remedy { get; } = remedy;
}
