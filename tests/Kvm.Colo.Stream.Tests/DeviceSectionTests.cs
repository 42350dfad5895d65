using Xunit;

namespace Kvm.Colo.Stream.Tests;

public sealed class DeviceSectionTests
{
    private const long Seed = 77;
    private static readonly byte[] s_ram = [1, 2, 3, 4, 5];

    private readonly SampleOwner[] _source =
    [
        new("cpu", 0, SampleState.Filled(1)), new("cpu", 1, SampleState.Filled(2)), new("serial", 0, SampleState.Filled(7)),
    ];

    private readonly SampleOwner[] _target =
    [
        new("cpu", 0, new()), new("cpu", 1, new()), new("serial", 0, new()),
    ];

    [Fact]
    public void Write_GivesTheFramingOfFullSections()
    {
        byte[] blob = Frames.Written(buffer => new DeviceSectionWriter(buffer, [_source[0]]).Write());
        byte[] body = StateVisitorTests.Save((SampleState)_source[0].Current);

        Assert.Equal([.. Frames.Hex("04 00000003 03 637075 00000000 00000002"), .. body, .. Frames.Hex("7e 00000003 00")], blob);
    }

    [Fact]
    public void TryRead_StagesEveryOwner_AndAppliesNothing()
    {
        byte[] blob = PlainBlob();
        var reader = new DeviceSectionReader(_target);

        Assert.Equal(FrameStatus.Ok, reader.TryRead(blob, out int consumed));

        Assert.Equal(blob.Length, consumed);
        for (int index = 0; index < _source.Length; index++)
        {
            byte[] sent = StateVisitorTests.Save((SampleState)_source[index].Current);
            Assert.Equal(sent, StateVisitorTests.Save(_target[index].StagedState));
            Assert.Equal(0, _target[index].Applied);
        }

        Assert.Null(reader.Apply());
        Assert.All(_target, owner => Assert.Equal(1, owner.Applied));
    }

    [Fact]
    public void TryRead_NeedsMore_AtEveryTruncation()
    {
        var reader = new DeviceSectionReader(_target);
        Frames.AssertEveryTruncationNeedsMore(PlainBlob(), source => reader.TryRead(source.ToArray(), out _));
    }

    [Fact]
    public void TryRead_AcceptsOwnersInAnotherOrder()
    {
        byte[] blob = Frames.Written(buffer => new DeviceSectionWriter(buffer, [_source[2], _source[1], _source[0]]).Write());

        Assert.Equal(FrameStatus.Ok, new DeviceSectionReader(_target).TryRead(blob, out _));
    }

    [Fact]
    public void TryRead_RefusesUnknownMissingTwinAndOtherVersion()
    {
        AssertRefused("unknown device", [.. _source, new SampleOwner("rtc", 0, new())]);
        AssertRefused("unknown device", [_source[0], new SampleOwner("cpu", 2, new())]);
        AssertRefused("serial 0: is missing", [_source[0], _source[1]]);
        AssertRefused("cpu 0: has another version", [new SampleOwner("cpu", 0, new()) { Version = 3 }]);
        byte[] twin = Frames.Written(buffer =>
        {
            var writer = new DeviceSectionWriter(buffer, [_source[0]]);
            writer.WriteSections();
            writer.Write();
        });
        var reader = new DeviceSectionReader(_target);
        Assert.Equal(FrameStatus.Malformed, reader.TryRead(twin, out _));
        Assert.Equal("cpu 0: appears twice", reader.Reason);
    }

    [Fact]
    public void TryRead_RefusesABodyLongerThanItsFields()
    {
        byte[] blob = Frames.Written(buffer =>
        {
            ElementCodec.WriteSection(buffer, ElementKind.SectionFull, 3, "cpu", 0, 2);
            new SampleState().Visit(new SaveVisitor(buffer));
            buffer.WriteU8(0);
            ElementCodec.WriteFooter(buffer, 3);
            ElementCodec.WriteEof(buffer);
        });
        var reader = new DeviceSectionReader(_target);

        Assert.Equal(FrameStatus.Malformed, reader.TryRead(blob, out _));
        Assert.Equal("cpu 0: does not end where its fields do", reader.Reason);
    }

    [Fact]
    public void TryRead_RefusesWhatTheDeviceRefuses()
    {
        _target[1].StagedState.Complaint = "queue size is no power of two";
        var reader = new DeviceSectionReader(_target);

        Assert.Equal(FrameStatus.Malformed, reader.TryRead(PlainBlob(), out _));
        Assert.Equal("cpu 1: queue size is no power of two", reader.Reason);
    }

    [Fact]
    public void Apply_NamesTheOwnerThatFailed()
    {
        _target[1].ApplyFailure = "KVM_SET_REGS: EINVAL";
        var reader = new DeviceSectionReader(_target);

        Assert.Equal("cpu 1: KVM_SET_REGS: EINVAL", reader.Apply());
    }

    [Fact]
    public void Epoch_IsGolden()
    {
        byte[] frame = Frames.Written(new EpochTrailer(1, 2, 3, new UInt128(4, 5)).Write);

        Assert.Equal(
            Frames.Hex(
                "04 636f0000 0d 636f6c6f2d766d2f65706f6368 00000000 00000001"
                + "0000000000000001 0000000000000002 0000000000000003 00000000000000040000000000000005 7e 636f0000"),
            frame);
        Assert.Equal(EpochTrailer.SizeBytes, frame.Length);
    }

    [Fact]
    public void ReadEpoch_AcceptsWhatWriteEpochWrote()
    {
        byte[] blob = EpochBlob(9, 3);
        var reader = new DeviceSectionReader(_target);

        Assert.Equal(FrameStatus.Ok, reader.ReadEpoch(blob, DigestOf(s_ram), 9, 3));
        EpochTrailer trailer = reader.Trailer!.Value;
        Assert.Equal((9ul, 3ul, 5ul), (trailer.Epoch, trailer.PageCount, trailer.RamBytes));
    }

    [Fact]
    public void ReadEpoch_RefusesAnotherEpochPageCountRamOrSeed()
    {
        byte[] blob = EpochBlob(9, 3);
        var reader = new DeviceSectionReader(_target);

        Assert.Equal(FrameStatus.Malformed, reader.ReadEpoch(blob, DigestOf(s_ram), 8, 3));
        Assert.Equal(FrameStatus.Malformed, reader.ReadEpoch(blob, DigestOf(s_ram), 9, 4));
        Assert.Equal(FrameStatus.Malformed, reader.ReadEpoch(blob, DigestOf([1, 2, 3, 4]), 9, 3));
        Assert.Equal(FrameStatus.Malformed, reader.ReadEpoch(blob, DigestOf([1, 2, 3, 4, 6]), 9, 3));
        Assert.Equal(FrameStatus.Malformed, reader.ReadEpoch(blob, new StreamDigest(Seed + 1), 9, 3));
    }

    [Fact]
    public void ReadEpoch_RefusesEveryTruncationAndEveryFlippedBit()
    {
        byte[] blob = EpochBlob(9, 3);
        var reader = new DeviceSectionReader(_target);
        for (int length = 0; length < blob.Length; length++)
            Assert.Equal(FrameStatus.Malformed, reader.ReadEpoch(blob.AsMemory(0, length), DigestOf(s_ram), 9, 3));
        Assert.Equal(FrameStatus.Malformed, reader.ReadEpoch((byte[])[.. blob, 0], DigestOf(s_ram), 9, 3));
        int trailerIds = blob.Length - EpochTrailer.SizeBytes - 1;
        for (int bit = 0; bit < trailerIds * 8; bit++)
        {
            blob[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(FrameStatus.Malformed, reader.ReadEpoch(blob, DigestOf(s_ram), 9, 3));
            blob[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void ReadEpoch_RefusesABlobWithoutTrailer() =>
        Assert.Equal(FrameStatus.Malformed, new DeviceSectionReader(_target).ReadEpoch(PlainBlob(), DigestOf([]), 1, 0));

    [Fact]
    public void ReadEpoch_NeverThrows()
    {
        var reader = new DeviceSectionReader(_target);
        Frames.Fuzz(8, 5_000, EpochBlob(9, 3), source => reader.ReadEpoch(source.ToArray(), DigestOf(s_ram), 9, 3));
    }

    [Fact]
    public void Constructor_Throws_ForTwinsAndReservedNames()
    {
        Assert.Throws<ArgumentException>(() => new DeviceSectionReader([_source[0], _source[0]]));
        Assert.Throws<ArgumentException>(() => new DeviceSectionReader([new SampleOwner("ram", 0, new())]));
        Assert.Throws<ArgumentException>(() => new DeviceSectionReader([new SampleOwner("", 0, new())]));
    }

    private void AssertRefused(string reason, IStateOwner[] owners)
    {
        byte[] blob = Frames.Written(buffer => new DeviceSectionWriter(buffer, owners).Write());
        var reader = new DeviceSectionReader(_target);
        Assert.Equal(FrameStatus.Malformed, reader.TryRead(blob, out _));
        Assert.Contains(reason, reader.Reason, StringComparison.Ordinal);
    }

    private byte[] PlainBlob() => Frames.Written(buffer => new DeviceSectionWriter(buffer, _source).Write());

    private byte[] EpochBlob(ulong epoch, ulong pages) =>
        Frames.Written(buffer => new DeviceSectionWriter(buffer, _source).WriteEpoch(DigestOf(s_ram), epoch, pages));

    private static StreamDigest DigestOf(byte[] ram)
    {
        var digest = new StreamDigest(Seed);
        digest.Append(ram);
        return digest;
    }
}
