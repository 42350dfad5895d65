namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>How long the parts of a run take before its window.</summary>
/// <param name="RunIn">
/// Checkpoints as fast as they come: what one costs in the long run is measured, when tables and caches have grown as large as they get.
/// </param>
/// <param name="Settle">Then checkpoints at the cell's own pace.</param>
/// <param name="StepDeadline">What takes longer has failed.</param>
/// <param name="Solo">How long the guest is watched before it is protected, where its speed is the point.</param>
internal sealed record Pace(TimeSpan RunIn, TimeSpan Settle, TimeSpan StepDeadline, TimeSpan Solo)
{
    public static readonly Pace Native = new(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(4));

    /// <summary>In an emulated host everything takes some twenty times as long.</summary>
    public static readonly Pace Emulated = new(TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(240), TimeSpan.FromSeconds(10));
}
