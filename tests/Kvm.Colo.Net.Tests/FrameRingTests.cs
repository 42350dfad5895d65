namespace Kvm.Colo.Net.Tests;

public class FrameRingTests
{
    private const int Capacity = 1 << 20;

    [Fact]
    public void Frames_LeaveAsTheyCame()
    {
        Random random = new(5);
        FrameRing ring = new(Capacity);
        Queue<byte[]> model = new();
        for (int round = 0; round < 20_000; round++)
        {
            if (random.Next(2) == 0)
            {
                byte[] frame = new byte[random.Next(random.Next(20) == 0 ? VnetHeader.MaxFrameBytes + 1 : 2000)];
                random.NextBytes(frame);
                bool hasRoom = ring.HasRoom;
                Assert.Equal(hasRoom, ring.TryAdd(frame));
                if (hasRoom)
                    model.Enqueue(frame);
            }
            else if (model.TryDequeue(out byte[]? expected))
            {
                Assert.True(ring.TryPeek(ring.Tail, out ReadOnlySpan<byte> frame));
                Assert.True(frame.SequenceEqual(expected));
                ring.RemoveFirst();
            }

            Assert.Equal(model.Count, ring.Count);
            Assert.InRange(ring.UsedBytes, 0ul, (ulong)Capacity);
        }
    }

    [Fact]
    public void Limit_KeepsLaterFramesIn()
    {
        FrameRing ring = new(Capacity);
        ring.TryAdd([1]);
        ulong cut = ring.Tail;
        ring.TryAdd([2]);
        Assert.True(ring.TryPeek(cut, out _));
        ring.RemoveFirst();
        Assert.False(ring.TryPeek(cut, out _));
        Assert.True(ring.TryPeek(ring.Tail, out ReadOnlySpan<byte> frame));
        Assert.Equal(2, frame[0]);
    }

    [Fact]
    public void Limit_AtTheGapBeforeTheEnd_LetsAllBeforeItOut()
    {
        FrameRing ring = new(Capacity);
        byte[] big = new byte[VnetHeader.MaxFrameBytes];
        for (int round = 0; round < 100; round++)
        {
            Drop(ring, ring.Count);
            Assert.True(ring.TryAdd(big));
            ulong cut = ring.Tail;
            Assert.True(ring.TryAdd(big));
            Assert.True(ring.TryPeek(cut, out _));
            ring.RemoveFirst();
            Assert.False(ring.TryPeek(cut, out _));
        }
    }

    [Fact]
    public void AFullRing_RefusesAndLosesNothing()
    {
        FrameRing ring = new(Capacity);
        byte[] frame = new byte[1500];
        int count = 0;
        while (ring.TryAdd(frame))
            count++;
        Assert.False(ring.HasRoom);
        Assert.Equal(count, ring.Count);
        Assert.InRange(count, (Capacity - FrameRing.ReserveBytes) / 1504, Capacity / 1504);
        Assert.False(ring.TryAdd(new byte[VnetHeader.MaxFrameBytes + 1]));
        ring.Clear();
        Assert.True(ring.TryAdd(frame));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1 << 17)]
    [InlineData((1 << 20) + 4)]
    public void Capacity_MustFit(int bytes) => Assert.Throws<ArgumentOutOfRangeException>(() => new FrameRing(bytes));

    private static void Drop(FrameRing ring, int count)
    {
        for (int i = 0; i < count && ring.TryPeek(ring.Tail, out _); i++)
            ring.RemoveFirst();
    }
}
