namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>Labels of colo-vm where it was told how to track dirty pages.</summary>
internal static class Tracking
{
    public const string Ring = "colo-vm ring";

    public const string Bitmap = "colo-vm bitmap";
}
