using System.Text.Json.Serialization;

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
/// <param name="End">What happens to the primary at last.</param>
/// <param name="MeasuresSpeed">Whether the guest's own speed is compared with its speed before it was protected.</param>
internal sealed record Cell(
    string Name, string Guest, string Append, int MemoryMiB, int Cpus, int DelayMs, double WindowSeconds, int Pages = 0, CellEnd End = CellEnd.None,
    bool MeasuresSpeed = false)
{
    /// <summary>The guest that is Debian's kernel with the load as its only program.</summary>
    public const string Linux = "linux";

    /// <summary>The guest that sends datagrams back.</summary>
    public const string Echo = "net";

    /// <summary>Whether the primary is lost to see how soon the secondary notices.</summary>
    [JsonIgnore]
    public bool IsDetection => End is CellEnd.Death or CellEnd.Silence;

    /// <summary>Whether the guest says again and again how far it has come.</summary>
    [JsonIgnore]
    public bool Reports => IsLinux || Guest == "dirty";

    [JsonIgnore]
    public bool IsLinux => Guest == Linux;

    /// <summary>Whether it is measured how long the guest's output waits; QEMU lets it out at once, or wants a set-up of filters for it.</summary>
    [JsonIgnore]
    public bool IsEcho => Guest == Echo;
}
