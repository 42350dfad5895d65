using BenchmarkDotNet.Attributes;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Benchmarks.Micro;

/// <summary>The delta of one page with so many changed 8-byte words; the limit is comparing the two.</summary>
[MemoryDiagnoser]
public class PageDeltaBenchmarks
{
    private readonly byte[] _before = Pages.Random(1);
    private readonly byte[] _after = Pages.Random(1);
    private readonly byte[] _same = Pages.Random(1);
    private readonly byte[] _target = Pages.Random(1);
    private readonly byte[] _delta = new byte[2 * Pages.SizeBytes];
    private int _length;

    /// <summary>0: equal; 512: all different.</summary>
    [Params(0, 1, 64, 512)]
    public int ChangedWords { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        int stride = ChangedWords == 0 ? 1 : 512 / ChangedWords;
        for (int word = 0; word < ChangedWords; word++)
        {
            foreach (ref byte b in _after.AsSpan(word * stride * sizeof(ulong), sizeof(ulong)))
                b ^= 0xA5;
        }

        _length = Math.Max(0, PageDelta.Encode(_before, _after, _delta));
    }

    [Benchmark(Baseline = true)]
    public bool Compare() => _before.AsSpan().SequenceEqual(_same);

    [Benchmark]
    public int Encode() => PageDelta.Encode(_before, _after, _delta);

    [Benchmark]
    public bool Apply() => PageDelta.TryApply(_delta.AsSpan(0, _length), _target);
}
