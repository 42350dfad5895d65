using Xunit;

namespace Kvm.Colo.Stream.Tests;

public sealed class StreamCursorTests
{
    [Fact]
    public void Reads_AreBigEndian()
    {
        var cursor = new StreamCursor(Frames.Hex("01 0203 04050607 08090a0b0c0d0e0f 00112233445566778899aabbccddeeff 02 6162"));

        Assert.Equal(0x01, cursor.ReadU8());
        Assert.Equal(0x0203, cursor.ReadU16());
        Assert.Equal(0x04050607u, cursor.ReadU32());
        Assert.Equal(0x08090A0B0C0D0E0Ful, cursor.ReadU64());
        Assert.Equal(new UInt128(0x0011223344556677, 0x8899AABBCCDDEEFF), cursor.ReadU128());
        Assert.Equal("ab"u8, cursor.ReadName());
        Assert.Equal(FrameStatus.Ok, cursor.Status);
        Assert.Equal(0, cursor.Remaining);
    }

    [Fact]
    public void FirstFailure_Sticks()
    {
        var cursor = new StreamCursor(Frames.Hex("0102"));

        Assert.Equal(0u, cursor.ReadU32());
        Assert.Equal(0, cursor.ReadU8());
        cursor.Reject();

        Assert.Equal(FrameStatus.NeedMoreData, cursor.Status);
        Assert.Equal(0, cursor.Position);
    }

    [Fact]
    public void ReadBytes_IsMalformed_WhenCountIsNegative()
    {
        var cursor = new StreamCursor(new byte[8]);

        Assert.True(cursor.ReadBytes(-1).IsEmpty);
        Assert.Equal(FrameStatus.Malformed, cursor.Status);
    }

    [Theory]
    [InlineData("00")]
    [InlineData("03 610062")]
    [InlineData("02 61ff")]
    public void ReadName_IsMalformed_WhenEmptyOrNotPrintable(string hex)
    {
        var cursor = new StreamCursor(Frames.Hex(hex));

        cursor.ReadName();

        Assert.Equal(FrameStatus.Malformed, cursor.Status);
    }
}
