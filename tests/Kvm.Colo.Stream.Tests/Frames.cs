using Xunit;

namespace Kvm.Colo.Stream.Tests;

internal delegate FrameStatus FrameReader(ReadOnlySpan<byte> source);

/// <summary>What every codec test needs: golden hex, every truncation, mutation.</summary>
internal static class Frames
{
    public static byte[] Hex(string text) => Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal));

    public static byte[] Written(Action<ChannelBuffer> write)
    {
        using var buffer = new ChannelBuffer();
        write(buffer);
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] Written(int capacity, Func<byte[], int> write)
    {
        byte[] bytes = new byte[capacity];
        int length = write(bytes);
        return bytes[..length];
    }

    /// <summary>Every proper prefix asks for more, the whole frame is legal, and so it is with bytes behind it.</summary>
    public static void AssertEveryTruncationNeedsMore(byte[] frame, FrameReader read)
    {
        for (int length = 0; length < frame.Length; length++)
            Assert.True(read(frame.AsSpan(0, length)) == FrameStatus.NeedMoreData, $"prefix of {length} bytes");
        Assert.Equal(FrameStatus.Ok, read(frame));
        Assert.Equal(FrameStatus.Ok, read([.. frame, 0x7E, 0xFF]));
    }

    /// <summary>Feeds random bytes and damaged copies of legal frames; the reader must answer, whatever it answers.</summary>
    public static void Fuzz(int seed, int rounds, byte[] frame, FrameReader read)
    {
        var random = new Random(seed);
        byte[] noise = new byte[Math.Max(64, frame.Length)];
        for (int round = 0; round < rounds; round++)
        {
            random.NextBytes(noise);
            read(noise.AsSpan(0, random.Next(noise.Length + 1)));
            byte[] damaged = [.. frame];
            for (int hit = random.Next(1, 4); hit > 0 && damaged.Length > 0; hit--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            read(damaged.AsSpan(0, random.Next(damaged.Length + 1)));
        }
    }
}
