using Xunit;

namespace Kvm.Colo.Stream.Tests;

public class BlobDeltaTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(100, 100)]
    [InlineData(8192, 8192)]
    [InlineData(20_000, 20_000)]
    [InlineData(20_000, 9_000)]
    [InlineData(9_000, 20_000)]
    public void Decode_RestoresWhatWasEncoded(int previousBytes, int currentBytes)
    {
        byte[] previous = Noise(previousBytes, 1);
        byte[] current = Noise(currentBytes, 1);
        for (int i = 17; i < current.Length; i += 1000)
            current[i] ^= 0x55;
        using ChannelBuffer wire = new();
        using ChannelBuffer restored = new();
        BlobDelta.Encode(previous, current, wire);
        Assert.Equal(FrameStatus.Ok, BlobDelta.TryDecode(wire.WrittenSpan, previous, restored));
        Assert.Equal(current, restored.WrittenSpan.ToArray());
    }

    [Fact]
    public void Encode_IsSmall_WhenLittleChanged()
    {
        byte[] previous = Noise(12_000, 2);
        byte[] current = (byte[])previous.Clone();
        current[5000]++;
        using ChannelBuffer wire = new();
        BlobDelta.Encode(previous, current, wire);
        Assert.InRange(wire.Length, 1, 20);
    }

    [Fact]
    public void Encode_IsGolden()
    {
        using ChannelBuffer wire = new();
        BlobDelta.Encode([1, 2, 3, 4], [1, 9, 3, 4], wire);
        Assert.Equal("00000004000301" + "01" + "09", Convert.ToHexStringLower(wire.WrittenSpan));
        wire.Reset();
        BlobDelta.Encode([], [7, 8], wire);
        Assert.Equal("00000002ffff0708", Convert.ToHexStringLower(wire.WrittenSpan));
    }

    [Fact]
    public void Decode_RefusesEveryTruncationAndEveryExtension()
    {
        byte[] previous = Noise(10_000, 3);
        byte[] current = Noise(10_000, 3);
        current[9_999] ^= 1;
        using ChannelBuffer wire = new();
        using ChannelBuffer restored = new();
        BlobDelta.Encode(previous, current, wire);
        byte[] whole = wire.WrittenSpan.ToArray();
        for (int length = 0; length < whole.Length; length++)
            Assert.Equal(FrameStatus.Malformed, BlobDelta.TryDecode(whole.AsSpan(0, length), previous, restored));
        Assert.Equal(FrameStatus.Malformed, BlobDelta.TryDecode([.. whole, 0], previous, restored));
    }

    [Fact]
    public void Decode_RefusesALengthAboveTheBound()
    {
        using ChannelBuffer restored = new(maximumBytes: 64 * 1024);
        Assert.Equal(FrameStatus.Malformed, BlobDelta.TryDecode([0x7F, 0xFF, 0xFF, 0xFF, 0, 0], [], restored));
    }

    [Fact]
    public void Decode_NeverThrows_OnRandomBytes()
    {
        Random random = new(4);
        byte[] previous = Noise(9_000, 4);
        using ChannelBuffer restored = new();
        byte[] bytes = new byte[200];
        for (int round = 0; round < 20_000; round++)
        {
            random.NextBytes(bytes);
            bytes[0] = bytes[1] = 0;
            FrameStatus status = BlobDelta.TryDecode(bytes.AsSpan(0, random.Next(bytes.Length)), previous, restored);
            Assert.True(status is FrameStatus.Ok or FrameStatus.Malformed);
        }
    }

    private static byte[] Noise(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
