using Kvm.Colo.Benchmarks.Comparison;
using Xunit;

namespace Kvm.Colo.Benchmarks.Tests;

public sealed class ProcessFiguresTests
{
    [Fact]
    public void ParseLinkBytes_SumsBothWaysOfAllConnections()
    {
        const string Text = """
            ESTAB 0 0 127.0.0.1:40000 127.0.0.1:4444
            	 cubic wscale:7,7 rto:204 bytes_sent:1000 bytes_acked:1001 bytes_received:20 segs_out:9
            ESTAB 0 0 127.0.0.1:40002 127.0.0.1:4444
            	 cubic bytes_sent:300 bytes_retrans:7 bytes_received:4
            """;

        Assert.Equal(1324, ProcessFigures.ParseLinkBytes(Text));
    }

    [Fact]
    public void ParseLinkBytes_IsUnknown_WithoutAConnection() => Assert.Null(ProcessFigures.ParseLinkBytes(""));

    [Fact]
    public void ParseMemory_ReadsARollup()
    {
        MemoryFigures memory = ProcessFigures.ParseMemory(
        [
            "55d0c0000000-7fff00000000 ---p 00000000 00:00 0    [rollup]", "Rss:   9000 kB", "Pss:     8000 kB", "Pss_Anon: 5000 kB", "Pss_Shmem:  2000 kB",
        ]);

        Assert.Equal(new MemoryFigures(9000, 8000, 5000, 2000), memory);
    }

    [Fact]
    public void ParseBlocks_CountsAFileOnce() => Assert.Equal(8 + 4, ProcessFigures.ParseBlocks("12 16 512\n13 8 512\n12 16 512"));

    [Theory]
    [InlineData(0, 8000)]
    [InlineData(2000, 8000)]
    [InlineData(9000, 15_000)]
    public void TotalKiB_HasThePagesOfMemoryFilesThatAreNotMapped(long memfdKiB, long expected) =>
        Assert.Equal(expected, new MemoryFigures(9000, 8000, 5000, 2000, memfdKiB).TotalKiB);

    [Fact]
    public void Used_IsTheDifferenceByThreadName()
    {
        Dictionary<int, ThreadCpu> before = new() { [1] = new("vcpu-0", 100), [2] = new("migration", 10), [4] = new("gone", 5) };
        Dictionary<int, ThreadCpu> after = new() { [1] = new("vcpu-0", 160), [2] = new("migration", 13), [3] = new("migration", 4), [5] = new("idle", 0) };

        SortedDictionary<string, double> used = ProcessFigures.Used(before, after);

        Assert.Equal([new("migration", 7), new("vcpu-0", 60)], used);
    }

    [Fact]
    public void Helpers_AreAllButTheVcpusOfBothVmms() =>
        Assert.Equal(5, ProcessFigures.Helpers(new() { ["CPU 0/KVM"] = 70, ["vcpu-1"] = 80, ["migration"] = 3, ["qemu-system-x86"] = 2 }));

    [Fact]
    public void Nanoseconds_IsTheFirstNumberOfSchedstat() => Assert.Equal(123456789, ProcessFigures.Nanoseconds("123456789 42 7\n"));
}
