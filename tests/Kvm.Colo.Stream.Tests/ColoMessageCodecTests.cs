using Xunit;

namespace Kvm.Colo.Stream.Tests;

public sealed class ColoMessageCodecTests
{
    private const ColoFeatures All = ColoFeatures.Known | ColoFeatures.Negotiated;

    public static TheoryData<uint, string> Golden => new()
    {
        { 0, "00000000" }, { 1, "00000001" }, { 2, "00000002" }, { 3, "00000003" }, { 4, "00000004" }, { 5, "00000005" },
        { 6, "00000006" }, { 0x636F0000, "636f0000" }, { 0x636F0001, "636f0001" }, { 0x636F0002, "636f0002" },
        { 0x636F0003, "636f0003" }, { 0x636F000B, "636f000b" },
    };

    [Theory]
    [MemberData(nameof(Golden))]
    public void Write_GivesTheGoldenWord_AndTryReadReturnsIt(uint number, string hex)
    {
        byte[] frame = new byte[4];
        ColoMessageCodec.Write(frame, (ColoMessage)number);

        Assert.Equal(Frames.Hex(hex), frame);
        Assert.Equal(FrameStatus.Ok, ColoMessageCodec.TryRead(frame, All, out ColoMessage message));
        Assert.Equal((ColoMessage)number, message);
        Assert.NotEqual("invalid", message.Name());
        Frames.AssertEveryTruncationNeedsMore(frame, source => ColoMessageCodec.TryRead(source, All, out _));
    }

    [Theory]
    [InlineData("00000007")]
    [InlineData("ffffffff")]
    [InlineData("636f000c")]
    [InlineData("636effff")]
    public void TryRead_IsMalformed_ForUnknownNumbers(string hex) =>
        Assert.Equal(FrameStatus.Malformed, ColoMessageCodec.TryRead(Frames.Hex(hex), All, out _));

    [Theory]
    [InlineData("636f0000")]
    [InlineData("636f0001")]
    [InlineData("636f0002")]
    [InlineData("636f0003")]
    [InlineData("636f000b")]
    public void TryRead_IsMalformed_WhenThePrivateMessageWasNotNegotiated(string hex) =>
        Assert.Equal(FrameStatus.Malformed, ColoMessageCodec.TryRead(Frames.Hex(hex), ColoFeatures.None, out _));

    [Fact]
    public void PrivateMessages_AllBeginWithThePrefix()
    {
        foreach (ColoMessage message in Enum.GetValues<ColoMessage>().Where(message => (uint)message > 6))
            Assert.Equal(ColoMessageCodec.PrivatePrefix, (byte)((uint)message >> 24));
    }

    [Fact]
    public void Names_AreQemus() =>
        Assert.Equal(
            ["checkpoint-ready", "checkpoint-request", "checkpoint-reply", "vmstate-send", "vmstate-size", "vmstate-received",
                "vmstate-loaded"],
            Enumerable.Range(0, 7).Select(number => ((ColoMessage)number).Name()));

    [Theory]
    [InlineData(0x00, (int)ForwardPosition.Message, (int)ForwardItem.Message)]
    [InlineData(0x63, (int)ForwardPosition.Message, (int)ForwardItem.Message)]
    [InlineData(0x02, (int)ForwardPosition.Message, (int)ForwardItem.Element)]
    [InlineData(0x03, (int)ForwardPosition.Message, (int)ForwardItem.Illegal)]
    [InlineData(0x00, (int)ForwardPosition.Element, (int)ForwardItem.Element)]
    [InlineData(0x08, (int)ForwardPosition.Element, (int)ForwardItem.Element)]
    [InlineData(0x63, (int)ForwardPosition.Element, (int)ForwardItem.Message)]
    [InlineData(0x7E, (int)ForwardPosition.Element, (int)ForwardItem.Illegal)]
    public void Classify_TellsMessagesFromElements(byte first, int position, int expected) =>
        Assert.Equal((ForwardItem)expected, ForwardDemux.Classify(first, (ForwardPosition)position, All));

    [Fact]
    public void Classify_RefusesPreSentParts_WhenNotNegotiated() =>
        Assert.Equal(
            ForwardItem.Illegal,
            ForwardDemux.Classify(0x02, ForwardPosition.Message, ColoFeatures.Known & ~ColoFeatures.PreSend));
}
