using Xunit;

namespace Kvm.Colo.Stream.Tests;

/// <summary>A whole forward stream with heartbeats and pre-sent pages, cut after every byte: the reader never calls a prefix
/// illegal and holds the new epoch only when all of it is there.</summary>
public sealed class TransactionTests
{
    private const ColoFeatures Features = ColoFeatures.Known;
    private const long Seed = 5;

    private readonly RamBlockTable _blocks = new(new RamBlock("pc.ram", 0x10000));
    private readonly SampleOwner[] _owners = [new("cpu", 0, SampleState.Filled(7)), new("serial", 0, SampleState.Filled(4))];

    [Fact]
    public void Head_ReadsAsRecordedFromQemu()
    {
        byte[] stream = Frames.Hex(
            "5145564d 00000003 07 0000000d 70632d6934343066782d372e32 08 0008 0000"
            + "01 00000002 03 72616d 00000000 00000004");

        Assert.Equal(FrameStatus.Ok, StreamHeader.TryRead(stream, out int position));
        Assert.Equal(
            FrameStatus.Ok,
            StreamConfigurationCodec.TryRead(stream.AsSpan(position), out StreamConfiguration? read, out int length));
        position += length;
        Assert.Equal("pc-i440fx-7.2", read!.MachineType);
        Assert.Equal(FrameStatus.Ok, ElementCodec.TryRead(stream.AsSpan(position), out StreamElement command, out length));
        position += length;
        Assert.Equal(StreamCommand.EnableColo, command.Command);
        Assert.Equal(FrameStatus.Ok, ElementCodec.TryRead(stream.AsSpan(position), out StreamElement start, out length));
        Assert.Equal("ram"u8, start.Name);
        Assert.Equal(stream.Length, position + length);
    }

    [Fact]
    public void EveryCut_LeavesTheOldEpochOrTheNew()
    {
        byte[] stream = Transaction();
        for (int length = 0; length < stream.Length; length += length is > 200 and < 8000 ? 61 : 1)
            Assert.Equal((FrameStatus.NeedMoreData, 0), Receive(stream.AsSpan(0, length)));
        Assert.Equal((FrameStatus.Ok, 4), Receive(stream));
    }

    [Fact]
    public void EveryDamagedByte_IsNoticed_OutsideHeartbeatsAndMessages()
    {
        byte[] stream = Transaction();
        for (int index = 0; index < stream.Length; index++)
        {
            byte original = stream[index];
            stream[index] ^= 0x40;
            (FrameStatus status, int _) = Receive(stream);
            Assert.True(status != FrameStatus.Ok, $"byte {index}");
            stream[index] = original;
        }
    }

    private byte[] Transaction()
    {
        using var stream = new ChannelBuffer();
        using var blob = new ChannelBuffer();
        var encoder = new RamSectionEncoder(_blocks);
        var digest = new StreamDigest(Seed);
        Send(stream, ColoMessage.Heartbeat);
        Send(stream, ColoMessage.CheckpointRequest);
        WriteRam(stream, encoder, digest, ElementKind.SectionPart, 0x1000);
        Send(stream, ColoMessage.Heartbeat);
        Send(stream, ColoMessage.VmstateSend);
        ElementCodec.WriteCommand(stream, StreamCommand.SwitchoverStart, []);
        Send(stream, ColoMessage.Heartbeat);
        WriteRam(stream, encoder, digest, ElementKind.SectionEnd, 0x3000);
        ElementCodec.WriteEof(stream);
        new DeviceSectionWriter(blob, _owners).WriteEpoch(digest, 1, 4);
        Send(stream, ColoMessage.VmstateSize);
        stream.WriteU64((ulong)blob.Length);
        stream.WriteBytes(blob.WrittenSpan);
        return stream.WrittenSpan.ToArray();
    }

    private static void WriteRam(
        ChannelBuffer stream, RamSectionEncoder encoder, StreamDigest digest, ElementKind kind, ulong offset)
    {
        int start = stream.Length;
        ElementCodec.WriteSection(stream, kind, RamSectionEncoder.SectionId);
        stream.Advance(encoder.WritePage(stream.GetSpan(RamSectionEncoder.MaxHeadBytes), 0, offset));
        stream.WriteBytes([.. Enumerable.Range(0, 4096).Select(index => (byte)index)]);
        stream.Advance(encoder.WriteZeroPage(stream.GetSpan(RamSectionEncoder.MaxHeadBytes), 0, offset + 0x1000));
        stream.Advance(RamSectionEncoder.WriteEndOfSection(stream.GetSpan(RamPageWord.SizeBytes)));
        ElementCodec.WriteFooter(stream, RamSectionEncoder.SectionId);
        digest.Append(stream.WrittenSpan[start..]);
    }

    private static void Send(ChannelBuffer stream, ColoMessage message) => stream.WriteU32((uint)message);

    /// <summary>What a secondary does with the bytes that arrived: the outcome and the pages of the epoch it may apply.</summary>
    private (FrameStatus Status, int Pages) Receive(ReadOnlySpan<byte> source)
    {
        var decoder = new RamSectionDecoder(_blocks, Features);
        var digest = new StreamDigest(Seed);
        ForwardPosition where = ForwardPosition.Message;
        ColoMessage expected = ColoMessage.CheckpointRequest;
        int pages = 0;
        while (!source.IsEmpty)
        {
            FrameStatus status;
            int consumed;
            switch (ForwardDemux.Classify(source[0], where, Features))
            {
                case ForwardItem.Message:
                    status = ColoMessageCodec.TryRead(source, Features, out ColoMessage message);
                    if (status != FrameStatus.Ok)
                        return (status, 0);
                    source = source[ColoMessageCodec.SizeBytes..];
                    if (message == ColoMessage.Heartbeat)
                        continue;
                    if (message != expected)
                        return (FrameStatus.Malformed, 0);
                    if (message == ColoMessage.VmstateSize)
                        return ReceiveBlob(source, digest, pages);
                    where = message == ColoMessage.VmstateSend ? ForwardPosition.Element : ForwardPosition.Message;
                    expected = message == ColoMessage.VmstateSend ? ColoMessage.VmstateSize : ColoMessage.VmstateSend;
                    continue;
                case ForwardItem.Element:
                    status = ElementCodec.TryRead(source, out StreamElement element, out consumed);
                    if (status == FrameStatus.Ok && element.Kind == ElementKind.Eof)
                        where = ForwardPosition.Message;
                    else if (status == FrameStatus.Ok && element.Kind is ElementKind.SectionPart or ElementKind.SectionEnd)
                        status = ReceiveRam(source, decoder, digest, element.SectionId, ref consumed, ref pages);
                    else if (status == FrameStatus.Ok && element.Command != StreamCommand.SwitchoverStart)
                        status = FrameStatus.Malformed;
                    if (status != FrameStatus.Ok)
                        return (status, 0);
                    source = source[consumed..];
                    continue;
                default:
                    return (FrameStatus.Malformed, 0);
            }
        }

        return (FrameStatus.NeedMoreData, 0);
    }

    private static FrameStatus ReceiveRam(
        ReadOnlySpan<byte> source, RamSectionDecoder decoder, StreamDigest digest, uint id, ref int consumed, ref int pages)
    {
        while (true)
        {
            FrameStatus status = decoder.TryRead(source[consumed..], out RamRecord record, out int head);
            if (status != FrameStatus.Ok)
                return status;
            consumed += head;
            if (record.Kind == RamRecordKind.EndOfSection)
                break;
            if (source.Length - consumed < record.PayloadBytes)
                return FrameStatus.NeedMoreData;
            consumed += record.PayloadBytes;
            pages++;
        }

        FrameStatus footer = ElementCodec.TryReadFooter(source[consumed..], id);
        if (footer != FrameStatus.Ok)
            return footer;
        consumed += ElementCodec.FooterBytes;
        digest.Append(source[..consumed]);
        return FrameStatus.Ok;
    }

    private (FrameStatus Status, int Pages) ReceiveBlob(ReadOnlySpan<byte> source, StreamDigest digest, int pages)
    {
        FrameStatus status = VmstateSize.TryRead(source, VmstateSize.DefaultLimitBytes, out int bytes);
        if (status != FrameStatus.Ok)
            return (status, 0);
        ReadOnlySpan<byte> blob = source[VmstateSize.SizeBytes..];
        if (blob.Length < bytes)
            return (FrameStatus.NeedMoreData, 0);
        status = new DeviceSectionReader(_owners).ReadEpoch(blob[..bytes].ToArray(), digest, 1, (ulong)pages);
        return (status, status == FrameStatus.Ok ? pages : 0);
    }
}
