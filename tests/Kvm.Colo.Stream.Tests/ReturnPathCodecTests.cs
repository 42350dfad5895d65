using Xunit;

namespace Kvm.Colo.Stream.Tests;

public sealed class ReturnPathCodecTests
{
    public static TheoryData<int, uint, ulong, uint, string, string> Golden => new()
    {
        { 1, 0, 0, 0, "", "0001 0004 00000000" },
        { 2, 0x42, 0, 0, "", "0002 0004 00000042" },
        { 3, 0, 0x1000, 0x2000, "pc.ram", "0003 0013 0000000000001000 00002000 06 70632e72616d" },
        { 4, 0, 0x1000, 0x2000, "", "0004 000c 0000000000001000 00002000" },
        { 5, 0, 0, 0, "pc.ram", "0005 0007 06 70632e72616d" },
        { 6, 1, 0, 0, "", "0006 0004 00000001" },
        { 7, 0, 0, 0, "", "0007 0000" },
    };

    [Theory]
    [MemberData(nameof(Golden))]
    public void Write_IsGolden_AndTryReadReturnsIt(int type, uint value, ulong start, uint length, string name, string hex)
    {
        byte[] frame = Frames.Written(buffer => ReturnPathCodec.Write(buffer, new ReturnPathMessage
        {
            Type = (ReturnPathType)type,
            Value = value,
            Start = start,
            LengthBytes = length,
            BlockName = System.Text.Encoding.ASCII.GetBytes(name),
        }));

        Assert.Equal(Frames.Hex(hex), frame);
        Assert.Equal(FrameStatus.Ok, ReturnPathCodec.TryRead(frame, out ReturnPathMessage read, out int consumed));
        Assert.Equal(frame.Length, consumed);
        Assert.Equal(((ReturnPathType)type, value, start, length), (read.Type, read.Value, read.Start, read.LengthBytes));
        Assert.Equal(name, System.Text.Encoding.ASCII.GetString(read.BlockName));
        Frames.AssertEveryTruncationNeedsMore(frame, source => ReturnPathCodec.TryRead(source, out _, out _));
        Frames.Fuzz(type, 2_000, frame, source => ReturnPathCodec.TryRead(source, out _, out _));
    }

    [Theory]
    [InlineData("0000 0000")]
    [InlineData("0008 0000")]
    [InlineData("0001 0005")]
    [InlineData("0003 000d")]
    [InlineData("0003 0201")]
    [InlineData("0005 0001")]
    [InlineData("0007 0001")]
    [InlineData("0005 0007 05 70632e72616d")]
    [InlineData("0005 0007 07 70632e72616d")]
    [InlineData("0005 0003 02 7000")]
    public void TryRead_IsMalformed_ForOtherTypesAndLengths(string hex) =>
        Assert.Equal(FrameStatus.Malformed, ReturnPathCodec.TryRead(Frames.Hex(hex), out _, out _));
}
