using BenchmarkDotNet.Attributes;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Benchmarks.Micro;

/// <summary>Writing and reading 256 whole page records in a RAM section; the limit is memcpy of as much.</summary>
[MemoryDiagnoser]
public class StreamBenchmarks
{
    private const int Count = 256;
    private const int RecordBytes = RamSectionEncoder.MaxHeadBytes + Pages.SizeBytes;

    private readonly byte[] _pages = Pages.Random(Count);
    private readonly byte[] _wire = new byte[Count * RecordBytes];
    private readonly byte[] _target = new byte[Count * Pages.SizeBytes];
    private readonly RamBlockTable _blocks = new([new RamBlock("pc.ram", 256ul << 20)]);

    [GlobalSetup]
    public void Setup() => Encode();

    [Benchmark(Baseline = true, OperationsPerInvoke = Count)]
    public void Memcpy()
    {
        for (int i = 0; i < Count; i++)
            _pages.AsSpan(i * Pages.SizeBytes, Pages.SizeBytes).CopyTo(_target.AsSpan(i * Pages.SizeBytes));
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public int Encode()
    {
        RamSectionEncoder encoder = new(_blocks);
        int used = 0;
        for (int i = 0; i < Count; i++)
        {
            used += encoder.WritePage(_wire.AsSpan(used), 0, (ulong)i * Pages.SizeBytes);
            _pages.AsSpan(i * Pages.SizeBytes, Pages.SizeBytes).CopyTo(_wire.AsSpan(used));
            used += Pages.SizeBytes;
        }

        return used;
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public int Decode()
    {
        RamSectionDecoder decoder = new(_blocks, ColoFeatures.Deltas);
        int read = 0;
        for (int i = 0; i < Count; i++)
        {
            if (decoder.TryRead(_wire.AsSpan(read), out RamRecord record, out int consumed) != FrameStatus.Ok)
                throw new InvalidOperationException(decoder.Reason);
            read += consumed;
            _wire.AsSpan(read, record.PayloadBytes).CopyTo(_target.AsSpan((int)record.PageOffset));
            read += record.PayloadBytes;
        }

        return read;
    }
}
