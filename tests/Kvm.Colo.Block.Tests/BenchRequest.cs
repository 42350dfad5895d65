namespace Kvm.Colo.Block.Tests;

/// <summary>A request and the news of its end.</summary>
internal sealed class BenchRequest
{
    public BenchRequest() => Request = new BlockRequest(8, _ => Ended.Set());

    public BlockRequest Request { get; }

    public ManualResetEventSlim Ended { get; } = new(false);
}
