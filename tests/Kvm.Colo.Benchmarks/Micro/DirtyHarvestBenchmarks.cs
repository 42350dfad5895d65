using BenchmarkDotNet.Attributes;
using Kvm.Colo.Memory;

namespace Kvm.Colo.Benchmarks.Micro;

/// <summary>Finding 256 scattered dirty pages in the bitmap of a guest, beside one pass over its words.</summary>
[MemoryDiagnoser]
public class DirtyHarvestBenchmarks
{
    private const int DirtyPages = 256;

    private PageBitmap _log = null!;
    private PageBitmap _dirty = null!;
    private ulong[] _pages = [];
    private ulong[] _all = [];

    [Params(256, 4096)]
    public int MemoryMiB { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        ulong pages = (ulong)MemoryMiB << 8;
        _log = new PageBitmap(pages);
        _dirty = new PageBitmap(pages);
        _pages = Pages.Scattered(pages, DirtyPages);
        _all = new ulong[pages / 64];
        _log.SetAll(); // touches every word, as KVM does
        _log.ClearAll();
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _log.Dispose();
        _dirty.Dispose();
    }

    [Benchmark(Baseline = true)]
    public bool ReadAllWords() => _all.AsSpan().ContainsAnyExcept(0ul);

    [Benchmark]
    public ulong MarkTakeWalkClear()
    {
        foreach (ulong page in _pages)
            _log.Mark(page);
        _dirty.TakeFrom(_log);
        ulong sum = 0;
        for (ulong page = _dirty.NextSet(0); page < _dirty.PageCount; page = _dirty.NextSet(page + 1))
            sum += page;
        _dirty.ClearAll();
        return sum;
    }
}
