using Xunit;

namespace Kvm.Colo.Stream.Tests;

public sealed class DiskMessageTests : IDisposable
{
    private static readonly DiskDescriptor[] s_disks =
        [new("root", 1 << 20, IsReadOnly: false), new("cd", (300 * 1024) + 512, IsReadOnly: true), new("data", 1ul << 40, IsReadOnly: false)];

    private readonly ChannelBuffer _buffer = new();

    public void Dispose() => _buffer.Dispose();

    [Fact]
    public void DiskList_IsThatOfTheProtocol_AndReadsBack()
    {
        DiskList.Write(_buffer, s_disks[..2]);
        byte[] wire = _buffer.WrittenSpan.ToArray();
        Assert.Equal("636f0006" + "02" + "04726f6f74" + "0000000000100000" + "00" + "026364" + "000000000004b200" + "01", Convert.ToHexStringLower(wire));
        Assert.Equal(FrameStatus.Ok, DiskList.TryRead([.. wire, 9], out IReadOnlyList<DiskDescriptor> read, out int consumed));
        Assert.Equal(wire.Length, consumed);
        Assert.Equal(s_disks[..2], read);
        for (int length = 0; length < wire.Length; length++)
            Assert.Equal(FrameStatus.NeedMoreData, DiskList.TryRead(wire.AsSpan(0, length), out _, out _));
    }

    [Theory]
    [InlineData("636f0006" + "41")]
    [InlineData("636f0006" + "01" + "0161" + "0000000000000000" + "00")]
    [InlineData("636f0006" + "01" + "0161" + "0000000000000201" + "00")]
    [InlineData("636f0006" + "01" + "0161" + "8000000000000000" + "00")]
    [InlineData("636f0006" + "01" + "0161" + "0000000000000200" + "02")]
    [InlineData("636f0006" + "01" + "00")]
    [InlineData("636f0007" + "00")]
    public void DiskList_OutOfBounds_IsRefused(string wire) =>
        Assert.Equal(FrameStatus.Malformed, DiskList.TryRead(Convert.FromHexString(wire), out _, out _));

    [Fact]
    public void Compare_SaysWhatDiffers()
    {
        Assert.Null(DiskList.Compare(s_disks, [.. s_disks]));
        Assert.Contains("2 disks, this one 3", DiskList.Compare(s_disks[..2], s_disks)!, StringComparison.Ordinal);
        Assert.Contains("'other'", DiskList.Compare(s_disks, [s_disks[0] with { Name = "other" }, .. s_disks[1..]])!, StringComparison.Ordinal);
        Assert.Contains("512", DiskList.Compare(s_disks, [s_disks[0] with { SizeBytes = 512 }, .. s_disks[1..]])!, StringComparison.Ordinal);
        Assert.Contains("writable", DiskList.Compare(s_disks, [s_disks[0] with { IsReadOnly = true }, .. s_disks[1..]])!, StringComparison.Ordinal);
    }

    [Fact]
    public void DiskHashQuery_IsThatOfTheProtocol_AndReadsBack()
    {
        DiskHashQuery query = new(1, 0, 2); // the second chunk is a short one
        byte[] wire = new byte[query.SizeBytes];
        query.WriteHead(wire);
        DiskHashQuery.WriteHash(wire, 0, 1);
        DiskHashQuery.WriteHash(wire, 1, UInt128.MaxValue);
        Assert.Equal("636f0007" + "01" + "0000000000000000" + "00000002", Convert.ToHexStringLower(wire.AsSpan(0, DiskHashQuery.HeadBytes)));
        Assert.Equal(FrameStatus.Ok, DiskHashQuery.TryRead(wire, s_disks, out DiskHashQuery read));
        Assert.Equal(query, read);
        Assert.Equal((UInt128.One, UInt128.MaxValue), (DiskHashQuery.ReadHash(wire, 0), DiskHashQuery.ReadHash(wire, 1)));
        for (int length = 0; length < wire.Length; length++)
            Assert.Equal(FrameStatus.NeedMoreData, DiskHashQuery.TryRead(wire.AsSpan(0, length), s_disks, out _));
    }

    [Theory]
    [InlineData(3, 0ul, 1)]
    [InlineData(0, 0ul, 0)]
    [InlineData(0, 0ul, 5)]
    [InlineData(0, 4ul, 1)]
    [InlineData(0, ulong.MaxValue, 1)]
    [InlineData(2, 0ul, DiskHashQuery.MaxCount + 1)]
    public void DiskHashQuery_OutOfBounds_IsRefused(int disk, ulong first, int count)
    {
        byte[] wire = new byte[DiskHashQuery.MaxBytes + PageHash.SizeBytes];
        new DiskHashQuery(disk, first, count).WriteHead(wire);
        Assert.Equal(FrameStatus.Malformed, DiskHashQuery.TryRead(wire, s_disks, out _));
    }

    [Theory]
    [InlineData(false, "636f0008" + "02" + "0000000000001000" + "00000200")]
    [InlineData(true, "636f0009" + "02" + "0000000000001000" + "00000200")]
    public void DiskRun_IsThatOfTheProtocol_AndReadsBack(bool isZero, string expected)
    {
        DiskRun run = new(2, 4096, 512, isZero);
        byte[] wire = new byte[DiskRun.HeadBytes];
        run.Write(wire);
        Assert.Equal(expected, Convert.ToHexStringLower(wire));
        Assert.Equal(FrameStatus.Ok, DiskRun.TryRead(wire, s_disks, out DiskRun read));
        Assert.Equal(run, read);
        Assert.Equal(isZero ? 0 : 512, read.DataBytes);
        for (int length = 0; length < wire.Length; length++)
            Assert.Equal(FrameStatus.NeedMoreData, DiskRun.TryRead(wire.AsSpan(0, length), s_disks, out _));
    }

    [Theory]
    [InlineData(3, 0ul, 512u, false)]
    [InlineData(1, 0ul, 512u, false)] // read-only
    [InlineData(0, 1ul, 512u, false)]
    [InlineData(0, 0ul, 513u, false)]
    [InlineData(0, 0ul, 0u, true)]
    [InlineData(0, 1ul << 20, 512u, true)]
    [InlineData(0, (1ul << 20) - 512, 1024u, true)]
    [InlineData(0, ulong.MaxValue - 511, 512u, true)]
    [InlineData(2, 0ul, DiskRun.MaxDataBytes + 512, false)]
    [InlineData(2, 0ul, DiskRun.MaxZeroBytes + 512, true)]
    public void DiskRun_OutOfBounds_IsRefused(int disk, ulong offset, uint length, bool isZero)
    {
        byte[] wire = new byte[DiskRun.HeadBytes];
        new DiskRun(disk, offset, length, isZero).Write(wire);
        Assert.Equal(FrameStatus.Malformed, DiskRun.TryRead(wire, s_disks, out _));
    }

    [Fact]
    public void Refusal_IsThatOfTheProtocol_AndReadsBack()
    {
        Refusal.Write(_buffer, "no\n");
        byte[] wire = _buffer.WrittenSpan.ToArray();
        Assert.Equal("636f000a" + "0003" + "6e6f3f", Convert.ToHexStringLower(wire));
        Assert.Equal(FrameStatus.Ok, Refusal.TryRead(wire, out string text, out int consumed));
        Assert.Equal(("no?", wire.Length), (text, consumed));
        for (int length = 0; length < wire.Length; length++)
            Assert.Equal(FrameStatus.NeedMoreData, Refusal.TryRead(wire.AsSpan(0, length), out _, out _));
        _buffer.Reset();
        Refusal.Write(_buffer, new string('x', 10_000));
        Assert.Equal(Refusal.HeadBytes + Refusal.MaxTextBytes, _buffer.Length);
        Assert.Equal(FrameStatus.Ok, Refusal.TryRead(_buffer.WrittenSpan, out _, out _));
    }

    [Theory]
    [InlineData("636f000a" + "0201")]
    [InlineData("636f000a" + "0001" + "0a")]
    [InlineData("636f0009" + "0001" + "61")]
    public void Refusal_OutOfBounds_IsRefused(string wire) =>
        Assert.Equal(FrameStatus.Malformed, Refusal.TryRead(Convert.FromHexString(wire), out _, out _));

    [Theory]
    [InlineData(0x636F0006u)]
    [InlineData(0x636F0007u)]
    [InlineData(0x636F0008u)]
    [InlineData(0x636F0009u)]
    [InlineData(0x636F000Au)]
    public void DiskMessages_AreIllegal_WhenNotNegotiated(uint word)
    {
        Assert.False(ColoMessageCodec.IsLegal((ColoMessage)word, ColoFeatures.Known & ~ColoFeatures.Disks));
        Assert.True(ColoMessageCodec.IsLegal((ColoMessage)word, ColoFeatures.Disks));
    }
}
