using BenchmarkDotNet.Attributes;
using Kvm.Colo.Memory;

namespace Kvm.Colo.Benchmarks.Micro;

/// <summary>Copying 256 scattered pages out of guest memory into staging, as the pause does; the limit is memcpy of as much.</summary>
[MemoryDiagnoser]
public class StagingBenchmarks
{
    private const int Count = 256;

    private readonly byte[] _target = new byte[Count * Pages.SizeBytes];
    private readonly PageStaging _staging = new(Count);
    private GuestMemory _memory = null!;
    private ulong[] _pages = [];

    [GlobalSetup]
    public void Setup()
    {
        _memory = GuestMemory.Create(256ul << 20);
        _pages = Pages.Scattered(_memory.PageCount, Count);
        byte[] content = Pages.Random(1);
        foreach (ulong page in _pages)
            _memory.WriteCommittedPage(page, content);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _memory.Dispose();
        _staging.Dispose();
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Count)]
    public void Memcpy()
    {
        for (int i = 0; i < Count; i++)
            _memory.Page(_pages[i]).CopyTo(_target.AsSpan(i * Pages.SizeBytes));
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public int Stage()
    {
        _staging.Reset();
        foreach (ulong page in _pages)
        {
            if (_staging.TryAdd(out PageRecord record))
                _memory.Page(page).CopyTo(record.Write(page, 0, GuestPage.SizeBytes));
        }

        return _staging.Count;
    }
}
