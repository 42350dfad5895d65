namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>One setting that every contestant is measured in.</summary>
/// <param name="Name">Unique, for tables and files.</param>
/// <param name="Guest">Image without its suffix.</param>
/// <param name="Append">The guest's command line.</param>
/// <param name="MemoryMiB">Guest RAM.</param>
/// <param name="Cpus">vCPUs.</param>
/// <param name="DelayMs">x-checkpoint-delay.</param>
/// <param name="WindowSeconds">How long is measured after the warm-up.</param>
/// <param name="Pages">Pages the guest keeps dirty, 0 where that is not its point.</param>
/// <param name="KillsPrimary">Whether the run ends with the death of the primary and a takeover.</param>
internal sealed record Cell(
    string Name, string Guest, string Append, int MemoryMiB, int Cpus, int DelayMs, double WindowSeconds, int Pages = 0, bool KillsPrimary = false);
