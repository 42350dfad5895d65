using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Kvm.Colo.Stream.Tests;

/// <summary>Whatever a peer sends, every reader answers; and what it says it consumed is within the bytes it was given.</summary>
public sealed class HostileInputTests
{
    private static readonly RamBlockTable s_blocks = new(new RamBlock("pc.ram", 1 << 20), new RamBlock("pc.rom", 1 << 16));

    private static readonly DiskDescriptor[] s_disks = [new("root", 1 << 20, IsReadOnly: false), new("data", 1ul << 40, IsReadOnly: false)];

    private static readonly ColoConfiguration s_colo = new(
        ColoFeatures.EpochDigest, ColoFeatures.Known, UInt128.One, 4096, 1 << 20, 1);

    [Fact]
    public void EveryReader_Answers_ForRandomBytes() =>
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes =>
        {
            ReadAll(bytes ?? []);
            return true;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));

    [Fact]
    public void EveryReader_Answers_ForDamagedFrames()
    {
        byte[] configuration = Frames.Written(buffer => StreamConfigurationCodec.Write(
            buffer, new StreamConfiguration { MachineType = "colo-1", Uuid = Guid.NewGuid(), Colo = s_colo }));
        var encoder = new RamSectionEncoder(s_blocks);
        byte[] blockList = Frames.Written(encoder.BlockListBytes, bytes => encoder.WriteBlockList(bytes));
        byte[] delta = Frames.Written(64, bytes => encoder.WriteDelta(bytes, 1, 4096, 99));
        byte[] section = Frames.Written(buffer => ElementCodec.WriteSection(buffer, ElementKind.SectionFull, 3, "cpu", 0, 1));
        byte[] query = Frames.Written(PageHashQuery.MaxHeadBytes, bytes => new PageHashQuery(0, 5).WriteHead(bytes, s_blocks));
        byte[] disks = Frames.Written(buffer => DiskList.Write(buffer, s_disks));
        byte[] chunks = Frames.Written(new DiskHashQuery(1, 9, 3).SizeBytes, bytes =>
        {
            new DiskHashQuery(1, 9, 3).WriteHead(bytes);
            return bytes.Length;
        });
        byte[] run = Frames.Written(DiskRun.HeadBytes, bytes =>
        {
            new DiskRun(1, 4096, 512, IsZero: false).Write(bytes);
            return bytes.Length;
        });
        byte[] refusal = Frames.Written(buffer => Refusal.Write(buffer, "no room"));
        foreach (byte[] frame in (byte[][])[configuration, blockList, delta, section, query, disks, chunks, run, refusal])
        {
            Frames.Fuzz(frame.Length, 5_000, frame, source =>
            {
                ReadAll(source);
                return FrameStatus.Ok;
            });
        }
    }

    private static void ReadAll(ReadOnlySpan<byte> source)
    {
        int consumed;
        AssertWithin(source, ElementCodec.TryRead(source, out _, out consumed), consumed);
        AssertWithin(source, StreamConfigurationCodec.TryRead(source, out _, out consumed), consumed);
        AssertWithin(source, StreamHeader.TryRead(source, out consumed), consumed);
        AssertWithin(source, ReturnPathCodec.TryRead(source, out _, out consumed), consumed);
        AssertWithin(source, PageHashQuery.TryReadHead(source, s_blocks, out _, out consumed), consumed);
        AssertWithin(source, EpochTrailer.TryReadBody(source, 1, out _, out consumed), consumed);
        AssertWithin(source, DiskList.TryRead(source, out IReadOnlyList<DiskDescriptor> disks, out consumed), consumed);
        Assert.All(disks, static disk => Assert.True(disk.SizeBytes is > 0 and <= long.MaxValue));
        AssertWithin(source, Refusal.TryRead(source, out _, out consumed), consumed);
        if (DiskHashQuery.TryRead(source, s_disks, out DiskHashQuery query) == FrameStatus.Ok)
            Assert.InRange(query.SizeBytes, DiskHashQuery.HeadBytes, source.Length);
        if (DiskRun.TryRead(source, s_disks, out DiskRun run) == FrameStatus.Ok)
            Assert.True(run.Length > 0 && run.End <= s_disks[run.Disk].SizeBytes && run.DataBytes <= DiskRun.MaxDataBytes);
        ConfigurationReply.TryRead(source, s_colo, out _);
        PageHashAnswer.TryRead(source, 13, out _);
        VmstateSize.TryRead(source, VmstateSize.DefaultLimitBytes, out _);
        ColoMessageCodec.TryRead(source, ColoFeatures.Known, out _);
        var decoder = new RamSectionDecoder(s_blocks, ColoFeatures.Known);
        while (decoder.TryRead(source, out RamRecord record, out consumed) == FrameStatus.Ok)
        {
            Assert.InRange(consumed, 1, source.Length);
            if (record.Block >= 0)
                Assert.True(record.PageOffset < s_blocks[record.Block].SizeBytes && record.PageOffset % 4096 == 0);
            source = source[consumed..];
        }
    }

    private static void AssertWithin(ReadOnlySpan<byte> source, FrameStatus status, int consumed)
    {
        Assert.InRange(consumed, 0, source.Length);
        if (status != FrameStatus.Ok)
            Assert.Equal(0, consumed);
    }
}
