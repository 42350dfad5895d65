using Xunit;

namespace Kvm.Colo.Stream.Tests;

public sealed class StreamConfigurationCodecTests
{
    private const string Uuid = "00112233-4455-6677-8899-aabbccddeeff";

    private static readonly ColoConfiguration s_colo = new(
        ColoFeatures.EpochDigest, ColoFeatures.Known, new UInt128(0x0102030405060708, 0x090A0B0C0D0E0F10), 4096, 256 << 20, 2);

    private static StreamConfiguration Full => new() { MachineType = "colo-1", Uuid = Guid.Parse(Uuid), Colo = s_colo };

    [Fact]
    public void Header_IsGolden_AndRefusesOtherMagicOrVersion()
    {
        byte[] frame = Frames.Written(StreamHeader.Write);

        Assert.Equal(Frames.Hex("5145564d 00000003"), frame);
        Frames.AssertEveryTruncationNeedsMore(frame, source => StreamHeader.TryRead(source, out _));
        Assert.Equal(FrameStatus.Malformed, StreamHeader.TryRead(Frames.Hex("5145564e 00000003"), out _));
        Assert.Equal(FrameStatus.Malformed, StreamHeader.TryRead(Frames.Hex("5145564d 00000002"), out _));
    }

    [Fact]
    public void Write_IsGolden_ForQemusMachine() =>
        Assert.Equal(
            Frames.Hex("07 0000000d 70632d693434306678 2d372e32"),
            Frames.Written(buffer => StreamConfigurationCodec.Write(buffer, new() { MachineType = "pc-i440fx-7.2" })));

    [Fact]
    public void Write_IsGolden_WithOurSubsections() =>
        Assert.Equal(
            Frames.Hex(
                "07 00000006 636f6c6f2d31"
                + "05 12 636f6e66696775726174696f6e2f75756964 00000001 00112233445566778899aabbccddeeff"
                + "05 15 636f6e66696775726174696f6e2f636f6c6f2d766d 00000001"
                + "00000001 000003ff 0102030405060708090a0b0c0d0e0f10 00001000 0000000010000000 00000002"),
            Frames.Written(buffer => StreamConfigurationCodec.Write(buffer, Full)));

    [Fact]
    public void TryRead_ReturnsWhatWasWritten()
    {
        byte[] frame = Frames.Written(buffer => StreamConfigurationCodec.Write(buffer, Full));

        Assert.Equal(FrameStatus.Ok, StreamConfigurationCodec.TryRead(frame, out StreamConfiguration? read, out int consumed));
        Assert.Equal(frame.Length, consumed);
        Assert.Equal(("colo-1", Guid.Parse(Uuid), s_colo), (read!.MachineType, read.Uuid!.Value, read.Colo!.Value));
        Frames.AssertEveryTruncationNeedsMore(frame, source => StreamConfigurationCodec.TryRead(source, out _, out _));
    }

    [Fact]
    public void TryRead_EndsAtTheNextElement_ForAQemuSource()
    {
        byte[] frame = Frames.Hex(
            "07 00000002 7063"
            + "05 1e 636f6e66696775726174696f6e2f7461726765742d706167652d62697473 00000001 0000000c"
            + "05 1a 636f6e66696775726174696f6e2f6361706162696c6974696573 00000001 00000001 06 782d636f6c6f"
            + "08 0008 0000");

        Assert.Equal(FrameStatus.Ok, StreamConfigurationCodec.TryRead(frame, out StreamConfiguration? read, out int consumed));
        Assert.Equal(frame.Length - 5, consumed);
        Assert.Equal(12u, read!.TargetPageBits);
        Assert.Equal(["x-colo"], read.Capabilities);
        Assert.Null(read.Colo);
    }

    [Theory]
    [InlineData("08 00000002 7063 08")]
    [InlineData("07 00000000 08")]
    [InlineData("07 00000100 7063 08")]
    [InlineData("07 ffffffff 7063 08")]
    [InlineData("07 00000002 7000 08")]
    [InlineData("07 00000002 7063 05 05 612f626364 00000001 08")]
    [InlineData("07 00000002 7063 05 12 636f6e66696775726174696f6e2f75756964 00000002 08")]
    [InlineData("07 00000002 7063 05 1a 636f6e66696775726174696f6e2f6361706162696c6974696573 00000001 00000041 08")]
    public void TryRead_IsMalformed_PastALimit(string hex) =>
        Assert.Equal(FrameStatus.Malformed, StreamConfigurationCodec.TryRead(Frames.Hex(hex), out _, out _));

    [Fact]
    public void TryRead_IsMalformed_WhenTheColoFieldsCannotBe()
    {
        ColoConfiguration[] wrong =
        [
            s_colo with { PageSizeBytes = 16384 },
            s_colo with { RamSizeBytes = 0 },
            s_colo with { RamSizeBytes = 4097 },
            s_colo with { RamSizeBytes = ulong.MaxValue & ~4095UL },
            s_colo with { VcpuCount = 0 },
            s_colo with { VcpuCount = 1025 },
            s_colo with { OfferedFeatures = ColoFeatures.None },
        ];
        foreach (ColoConfiguration colo in wrong)
        {
            byte[] frame = Frames.Written(buffer => StreamConfigurationCodec.Write(buffer, Full with { Colo = colo }));
            Assert.Equal(FrameStatus.Malformed, StreamConfigurationCodec.TryRead(frame, out _, out _));
        }
    }

    [Fact]
    public void Reply_IsGolden_AndReturnsWhatWasWritten()
    {
        ConfigurationReply reply = ConfigurationReply.Answer(s_colo, ColoFeatures.Known, UInt128.One)!.Value;
        byte[] frame = Frames.Written(reply.Write);

        Assert.Equal(Frames.Hex("636f0001 000003ff 00000000000000000000000000000001"), frame);
        Assert.Equal(FrameStatus.Ok, ConfigurationReply.TryRead(frame, s_colo, out ConfigurationReply read));
        Assert.Equal(reply, read);
        Frames.AssertEveryTruncationNeedsMore(frame, source => ConfigurationReply.TryRead(source, s_colo, out _));
    }

    [Theory]
    [InlineData("636f0001 00000002 00000000000000000000000000000000")]
    [InlineData("636f0001 00000401 00000000000000000000000000000000")]
    [InlineData("636f0000 00000001 00000000000000000000000000000000")]
    public void Reply_IsMalformed_WhenItAcceptsTooMuchOrTooLittle(string hex) =>
        Assert.Equal(FrameStatus.Malformed, ConfigurationReply.TryRead(Frames.Hex(hex), s_colo, out _));

    [Fact]
    public void Answer_IsNull_WhenARequestedFeatureIsMissing() =>
        Assert.Null(ConfigurationReply.Answer(s_colo, ColoFeatures.Heartbeat, UInt128.Zero));

    [Fact]
    public void Seed_NeedsBothHalves()
    {
        var primary = new UInt128(1, 2);
        var secondary = new UInt128(4, 8);

        Assert.Equal(new SessionSeed(5, 10), SessionSeed.Combine(primary, secondary));
    }
}
