using BenchmarkDotNet.Attributes;
using Kvm.Colo.Memory;

namespace Kvm.Colo.Benchmarks.Micro;

/// <summary>
/// Making an epoch of 1024 pages live in a secondary whose guest has written all of them: commit and drop in runs, or singly, or commit
/// and overwrite the private copies in place. Each includes the guest's write that makes the private copies again; the limit is memcpy
/// of as much.
/// </summary>
[MemoryDiagnoser]
public class CacheApplyBenchmarks
{
    private const int Count = 1024;
    private const int First = 512;

    private readonly byte[] _pages = Pages.Random(Count);
    private readonly byte[] _target = new byte[Count * Pages.SizeBytes];
    private GuestMemory _memory = null!;

    [GlobalSetup]
    public void Setup()
    {
        _memory = GuestMemory.CreateReplica(64ul << 20);
        Commit();
    }

    [GlobalCleanup]
    public void Cleanup() => _memory.Dispose();

    [Benchmark(Baseline = true, OperationsPerInvoke = Count)]
    public void Memcpy()
    {
        for (int i = 0; i < Count; i++)
            Page(i).CopyTo(_target.AsSpan(i * Pages.SizeBytes));
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public void DropInRuns()
    {
        Dirty();
        Commit();
        _memory.DropPrivatePages(First, Count);
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public void DropSingly()
    {
        Dirty();
        Commit();
        for (int i = 0; i < Count; i++)
            _memory.DropPrivatePages((ulong)(First + i), 1);
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public void OverwriteInPlace()
    {
        Dirty();
        Commit();
        for (int i = 0; i < Count; i++)
            _memory.RestorePrivatePage((ulong)(First + i));
    }

    private void Dirty()
    {
        for (int i = 0; i < Count; i++)
            _memory.TryWrite(_memory.AddressOfPage((ulong)(First + i)), (ulong)i);
    }

    private void Commit()
    {
        for (int i = 0; i < Count; i++)
            _memory.WriteCommittedPage((ulong)(First + i), Page(i));
    }

    private ReadOnlySpan<byte> Page(int index) => _pages.AsSpan(index * Pages.SizeBytes, Pages.SizeBytes);
}
