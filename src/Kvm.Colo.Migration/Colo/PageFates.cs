namespace Kvm.Colo.Migration.Colo;

/// <summary>How many of an epoch's pages travelled in which form.</summary>
internal record struct PageFates(int Identical, int Delta, int Zero, int Full)
{
    /// <summary>Page records on the wire.</summary>
    public readonly int Sent => Delta + Zero + Full;
}
