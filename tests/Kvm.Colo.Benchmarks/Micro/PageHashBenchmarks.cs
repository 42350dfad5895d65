using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Benchmarks.Micro;

/// <summary>Hashing 256 pages, hot (1 MiB) or from a set far larger than the caches; the limit is reading them.</summary>
[MemoryDiagnoser]
public class PageHashBenchmarks
{
    private const int Count = 256;
    private const int LargeSet = 32_768;

    private byte[] _pages = [];
    private int _next;

    [Params(false, true)]
    public bool Cold { get; set; }

    [GlobalSetup]
    public void Setup() => _pages = Pages.Random(Cold ? LargeSet : Count);

    [Benchmark(Baseline = true, OperationsPerInvoke = Count)]
    public int Read()
    {
        int found = 0;
        for (int i = 0; i < Count; i++)
            found += MemoryMarshal.Cast<byte, ulong>(NextPage()).Contains(0x1234_5678_9ABC_DEF0ul) ? 1 : 0;
        return found;
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public UInt128 Hash()
    {
        UInt128 all = 0;
        for (int i = 0; i < Count; i++)
            all ^= PageHash.Compute(NextPage(), Pages.Seed);
        return all;
    }

    private ReadOnlySpan<byte> NextPage()
    {
        int page = _next;
        _next = (_next + 1) % (_pages.Length / Pages.SizeBytes);
        return _pages.AsSpan(page * Pages.SizeBytes, Pages.SizeBytes);
    }
}
