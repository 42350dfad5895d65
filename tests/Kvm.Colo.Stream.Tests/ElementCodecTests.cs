using Xunit;

namespace Kvm.Colo.Stream.Tests;

public sealed class ElementCodecTests
{
    [Fact]
    public void SectionStart_IsGolden_AndReturnsWhatWasWritten()
    {
        byte[] frame = Frames.Written(buffer => ElementCodec.WriteSection(buffer, ElementKind.SectionStart, 2, "ram", 0, 4));

        Assert.Equal(Frames.Hex("01 00000002 03 72616d 00000000 00000004"), frame);
        Assert.Equal(FrameStatus.Ok, ElementCodec.TryRead(frame, out StreamElement read, out int consumed));
        Assert.Equal(frame.Length, consumed);
        Assert.Equal("ram"u8, read.Name);
        Assert.Equal((ElementKind.SectionStart, 2u, 0u, 4u), (read.Kind, read.SectionId, read.InstanceId, read.Version));
        Frames.AssertEveryTruncationNeedsMore(frame, source => ElementCodec.TryRead(source, out _, out _));
    }

    [Fact]
    public void SectionFull_IsGolden() =>
        Assert.Equal(
            Frames.Hex("04 00000009 03 637075 00000001 0000000c"),
            Frames.Written(buffer => ElementCodec.WriteSection(buffer, ElementKind.SectionFull, 9, "cpu", 1, 12)));

    [Theory]
    [InlineData((int)ElementKind.SectionPart, "02 00000002")]
    [InlineData((int)ElementKind.SectionEnd, "03 00000002")]
    public void ShortSections_AreGolden(int kind, string hex)
    {
        byte[] frame = Frames.Written(5, bytes => ElementCodec.WriteSection(bytes, (ElementKind)kind, 2));

        Assert.Equal(Frames.Hex(hex), frame);
        Assert.Equal(FrameStatus.Ok, ElementCodec.TryRead(frame, out StreamElement read, out _));
        Assert.Equal(2u, read.SectionId);
        Frames.AssertEveryTruncationNeedsMore(frame, source => ElementCodec.TryRead(source, out _, out _));
    }

    [Fact]
    public void Footer_IsGolden_AndClosesOnlyItsSection()
    {
        byte[] frame = Frames.Written(5, bytes => ElementCodec.WriteFooter(bytes, 2));

        Assert.Equal(Frames.Hex("7e 00000002"), frame);
        Frames.AssertEveryTruncationNeedsMore(frame, source => ElementCodec.TryReadFooter(source, 2));
        Assert.Equal(FrameStatus.Malformed, ElementCodec.TryReadFooter(frame, 3));
        Assert.Equal(FrameStatus.Malformed, ElementCodec.TryReadFooter(Frames.Hex("7d 00000002"), 2));
    }

    [Theory]
    [InlineData(1, "", "08 0001 0000")]
    [InlineData(2, "00000042", "08 0002 0004 00000042")]
    [InlineData(3, "", "08 0003 0000")]
    [InlineData(3, "00000000000010000000000000001000", "08 0003 0010 0000000000001000 0000000000001000")]
    [InlineData(4, "", "08 0004 0000")]
    [InlineData(5, "", "08 0005 0000")]
    [InlineData(6, "000372616d00", "08 0006 0006 000372616d00")]
    [InlineData(7, "00000100", "08 0007 0004 00000100")]
    [InlineData(8, "", "08 0008 0000")]
    [InlineData(9, "", "08 0009 0000")]
    [InlineData(10, "0372616d", "08 000a 0004 0372616d")]
    [InlineData(11, "", "08 000b 0000")]
    public void Commands_AreGolden_AndReturnWhatWasWritten(int command, string data, string hex)
    {
        byte[] frame = Frames.Written(
            buffer => ElementCodec.WriteCommand(buffer, (StreamCommand)command, Frames.Hex(data)));

        Assert.Equal(Frames.Hex(hex), frame);
        Assert.Equal(FrameStatus.Ok, ElementCodec.TryRead(frame, out StreamElement read, out int consumed));
        Assert.Equal(frame.Length, consumed);
        Assert.Equal((StreamCommand)command, read.Command);
        Assert.Equal(Frames.Hex(data), read.CommandData.ToArray());
        Frames.AssertEveryTruncationNeedsMore(frame, source => ElementCodec.TryRead(source, out _, out _));
    }

    [Theory]
    [InlineData("08 0000 0000")]
    [InlineData("08 000c 0000")]
    [InlineData("08 0008 0001 00")]
    [InlineData("08 0002 0000")]
    [InlineData("08 0003 0008")]
    [InlineData("01 00000002 00")]
    [InlineData("04 00000002 01 07")]
    [InlineData("05")]
    [InlineData("07")]
    [InlineData("7e")]
    [InlineData("06 00400001")]
    [InlineData("06 ffffffff")]
    public void TryRead_IsMalformed_ForIllegalHeads(string hex) =>
        Assert.Equal(FrameStatus.Malformed, ElementCodec.TryRead(Frames.Hex(hex), out _, out _));

    [Fact]
    public void Description_ReportsItsLength()
    {
        byte[] frame = Frames.Hex("06 00400000");

        Assert.Equal(FrameStatus.Ok, ElementCodec.TryRead(frame, out StreamElement read, out int consumed));
        Assert.Equal((ElementCodec.MaxDescriptionBytes, 5), (read.DescriptionBytes, consumed));
        Frames.AssertEveryTruncationNeedsMore(frame, source => ElementCodec.TryRead(source, out _, out _));
    }

    [Fact]
    public void PrivateMessage_IsReportedAndNotConsumed()
    {
        Assert.Equal(FrameStatus.Ok, ElementCodec.TryRead([0x63], out StreamElement read, out int consumed));
        Assert.Equal((ElementKind.PrivateMessage, 0), (read.Kind, consumed));
    }
}
