namespace Kvm.Colo.Devices.Tests;

public class ByteRingTests
{
    [Fact]
    public void RandomOperations_MatchAQueue()
    {
        Random random = new(7);
        ByteRing ring = new(13);
        Queue<byte> model = new();
        byte[] buffer = new byte[32];
        for (int step = 0; step < 50_000; step++)
        {
            int length = random.Next(20);
            random.NextBytes(buffer);
            switch (random.Next(4))
            {
                case 0:
                    int accepted = ring.Write(buffer.AsSpan(0, length));
                    Assert.Equal(Math.Min(length, 13 - model.Count), accepted);
                    Enqueue(model, buffer, accepted);
                    break;
                case 1:
                    long dropped = ring.WriteDroppingOldest(buffer.AsSpan(0, length));
                    Enqueue(model, buffer, length);
                    Assert.Equal(Math.Max(0, model.Count - 13), dropped);
                    while (model.Count > 13)
                        model.Dequeue();
                    break;
                case 2:
                    int taken = ring.Read(buffer.AsSpan(0, length));
                    Assert.Equal(Math.Min(length, model.Count), taken);
                    for (int i = 0; i < taken; i++)
                        Assert.Equal(model.Dequeue(), buffer[i]);
                    break;
                default:
                    ReadOnlySpan<byte> piece = ring.PeekContiguous();
                    Assert.Equal(model.Count == 0, piece.IsEmpty);
                    Assert.Equal(model.Take(piece.Length), piece.ToArray());
                    break;
            }

            Assert.Equal(model.Count, ring.Count);
            Assert.Equal(13 - model.Count, ring.Free);
        }
    }

    [Fact]
    public void Discard_RefusesMoreThanThereIs()
    {
        ByteRing ring = new(4);
        ring.Write([1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => ring.Discard(2));
        Assert.Throws<ArgumentOutOfRangeException>(() => ring.Discard(-1));
    }

    private static void Enqueue(Queue<byte> model, byte[] buffer, int count)
    {
        for (int i = 0; i < count; i++)
            model.Enqueue(buffer[i]);
    }
}
