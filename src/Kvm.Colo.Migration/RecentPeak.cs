namespace Kvm.Colo.Migration;

/// <summary>The largest of the last values, told now and then: how much memory a buffer has lately been worth.</summary>
internal sealed class RecentPeak
{
    private const int Window = 256;
    private int _count;
    private int _peak;

    public void Add(int value)
    {
        _count++;
        _peak = Math.Max(_peak, value);
    }

    /// <summary>True once per window, with its largest value.</summary>
    public bool TryTake(out int peak)
    {
        peak = _peak;
        if (_count < Window)
            return false;
        _count = 0;
        _peak = 0;
        return true;
    }
}
