namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>A sorted sample.</summary>
internal sealed class Distribution
{
    private readonly double[] _sorted;

    public Distribution(IEnumerable<double> values)
    {
        _sorted = [.. values.Where(static v => !double.IsNaN(v))];
        Array.Sort(_sorted);
    }

    public int Count => _sorted.Length;

    public IReadOnlyList<double> Sorted => _sorted;

    public double P50 => At(0.5);

    public double P99 => At(0.99);

    public double Maximum => Count == 0 ? double.NaN : _sorted[^1];

    /// <summary>The smallest value that is not below <paramref name="share"/> of all; NaN when there are none.</summary>
    public double At(double share) => Count == 0 ? double.NaN : _sorted[Math.Clamp((int)Math.Ceiling(share * Count) - 1, 0, Count - 1)];
}
