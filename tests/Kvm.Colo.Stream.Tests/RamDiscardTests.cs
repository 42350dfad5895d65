using Xunit;

namespace Kvm.Colo.Stream.Tests;

public sealed class RamDiscardTests
{
    private static readonly RamBlockTable s_blocks = new(new RamBlock("pc.ram", 0x10000), new RamBlock("pc.rom", 0x2000));

    [Fact]
    public void Write_IsGolden_AndTryReadReturnsIt()
    {
        byte[] frame = Frames.Written(buffer => RamDiscard.Write(buffer, s_blocks, 0, [(0x1000, 0x2000), (0xF000, 0x1000)]));

        Assert.Equal(
            Frames.Hex(
                "08 0006 0029 00 06 70632e72616d 00"
                + "0000000000001000 0000000000002000 000000000000f000 0000000000001000"),
            frame);
        Assert.Equal(FrameStatus.Ok, ElementCodec.TryRead(frame, out StreamElement element, out _));
        Assert.True(RamDiscard.TryRead(element.CommandData, s_blocks, out RamDiscard discard));
        Assert.Equal(new RamDiscard(0, 2), discard);
        Assert.Equal((0x1000ul, 0x2000ul), discard.RangeAt(element.CommandData, 0));
        Assert.Equal((0xF000ul, 0x1000ul), discard.RangeAt(element.CommandData, 1));
    }

    [Theory]
    [InlineData("")]
    [InlineData("01 06 70632e72616d 00 0000000000000000 0000000000001000")]
    [InlineData("00 06 70632e787878 00 0000000000000000 0000000000001000")]
    [InlineData("00 06 70632e72616d 01 0000000000000000 0000000000001000")]
    [InlineData("00 06 70632e72616d 00")]
    [InlineData("00 06 70632e72616d 00 0000000000000000")]
    [InlineData("00 06 70632e72616d 00 0000000000000000 0000000000000000")]
    [InlineData("00 06 70632e72616d 00 0000000000000000 0000000000011000")]
    [InlineData("00 06 70632e72616d 00 000000000000f000 fffffffffffff000")]
    [InlineData("00 06 70632e72616d 00 0000000000010000 0000000000001000")]
    [InlineData("00 06 70632e72616d 00 0000000000000800 0000000000001000")]
    public void TryRead_RefusesWhatIsNoRangeOfABlock(string hex) =>
        Assert.False(RamDiscard.TryRead(Frames.Hex(hex), s_blocks, out _));

    [Fact]
    public void TryRead_RefusesTooManyRanges()
    {
        byte[] range = Frames.Hex("0000000000000000 0000000000001000");
        byte[] head = Frames.Hex("00 06 70632e72616d 00");

        Assert.True(RamDiscard.TryRead([.. head, .. Enumerable.Repeat(range, 12).SelectMany(b => b)], s_blocks, out _));
        Assert.False(RamDiscard.TryRead([.. head, .. Enumerable.Repeat(range, 13).SelectMany(b => b)], s_blocks, out _));
    }
}
