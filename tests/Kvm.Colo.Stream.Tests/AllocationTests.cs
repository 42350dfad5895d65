using Xunit;

namespace Kvm.Colo.Stream.Tests;

/// <summary>What runs for every epoch or page allocates nothing once it is warm.</summary>
public sealed class AllocationTests
{
    private readonly SampleOwner[] _owners = [new("cpu", 0, SampleState.Filled(7)), new("serial", 0, SampleState.Filled(6))];
    private readonly RamBlockTable _blocks = new(new RamBlock("pc.ram", 1 << 20), new RamBlock("pc.rom", 1 << 16));

    [Fact]
    public void AnEpochOfDeviceState_AllocatesNothing()
    {
        using var buffer = new ChannelBuffer();
        var writer = new DeviceSectionWriter(buffer, _owners);
        var reader = new DeviceSectionReader(_owners);
        var digest = new StreamDigest(1);
        AssertAllocatesNothing(() =>
        {
            buffer.Reset();
            digest.Reset();
            writer.WriteEpoch(digest, 1, 0);
            digest.Reset();
            if (reader.ReadEpoch(buffer.WrittenMemory, digest, 1, 0) != FrameStatus.Ok)
                throw new InvalidOperationException(reader.Reason);
            reader.Apply();
        });
    }

    [Fact]
    public void PagesOfASection_AllocateNothing()
    {
        var encoder = new RamSectionEncoder(_blocks);
        var decoder = new RamSectionDecoder(_blocks, ColoFeatures.Known);
        byte[] head = new byte[RamSectionEncoder.MaxHeadBytes];
        byte[] before = new byte[4096];
        byte[] after = new byte[4096];
        after[77] = 1;
        byte[] delta = new byte[4096];
        int block = 0;
        AssertAllocatesNothing(() =>
        {
            block ^= 1;
            int deltaBytes = PageDelta.Encode(before, after, delta);
            int length = encoder.WriteDelta(head, block, 4096, deltaBytes);
            if (decoder.TryRead(head.AsSpan(0, length), out RamRecord record, out _) != FrameStatus.Ok)
                throw new InvalidOperationException(decoder.Reason);
            if (!PageDelta.TryApply(delta.AsSpan(0, record.PayloadBytes), before) || !PageHash.IsZero(delta.AsSpan(8)))
                throw new InvalidOperationException("delta");
            if (PageHash.Compute(before, 3) != PageHash.Compute(after, 3))
                throw new InvalidOperationException("hash");
            before[77] = 0;
        });
    }

    [Fact]
    public void MessagesAndElements_AllocateNothing()
    {
        using var buffer = new ChannelBuffer();
        AssertAllocatesNothing(() =>
        {
            buffer.Reset();
            ElementCodec.WriteSection(buffer, ElementKind.SectionStart, 2, "ram", 0, 4);
            ElementCodec.TryRead(buffer.WrittenSpan, out _, out int consumed);
            ElementCodec.WriteCommand(buffer, StreamCommand.SwitchoverStart, []);
            ElementCodec.TryRead(buffer.WrittenSpan[consumed..], out _, out _);
            ColoMessageCodec.TryRead("\0\0\0\u0003"u8, ColoFeatures.None, out ColoMessage message);
            _ = message.Name();
        });
    }

    private static void AssertAllocatesNothing(Action action)
    {
        for (int warm = 0; warm < 200; warm++)
            action();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < 200; round++)
            action();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
