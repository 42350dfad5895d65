using Kvm.Colo.Stream;
using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Kvm.Colo.SystemTests;

/// <summary>The link dies after every byte of a checkpoint, or a byte of it arrives wrong: the secondary has the old epoch or the new
/// one, never a mix.</summary>
[Trait("Category", "RequiresKvm")]
public class CutTests(ITestOutputHelper output)
{
    private const string Append = "set=2 report=200000";

    [KvmTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void CutAfterEveryByte_LeavesTheOldEpochOrTheNew(bool preSend)
    {
        using RecordedEpoch epoch = new("chain.elf", Append, memoryMiB: 3, preSend);
        output.WriteLine($"{epoch.Bytes.Length} bytes, {epoch.RequestAt} of them before the request, {epoch.ChangedPages} pages");
        Assert.True(epoch.ChangedPages > 3);
        Assert.Equal(preSend, epoch.RequestAt > 0);
        for (int cut = 0; cut < epoch.Bytes.Length; cut += Step(epoch, cut))
        {
            ColoMessage[] answers = epoch.Send(epoch.Bytes.AsMemory(0, cut));
            Assert.DoesNotContain(ColoMessage.VmstateReceived, answers);
            string state = epoch.Compare();
            Assert.True(state == "old", $"cut after {cut} of {epoch.Bytes.Length} bytes: {state}");
        }

        Assert.Equal([ColoMessage.VmstateReceived, ColoMessage.VmstateLoaded], epoch.Send(epoch.Bytes)[^2..]);
        Assert.Equal("new", epoch.Compare());
    }

    [KvmTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void DamagedByte_IsRefused(bool preSend)
    {
        using RecordedEpoch epoch = new("chain.elf", Append, memoryMiB: 3, preSend);
        Assert.InRange(epoch.EndOfQuestion - epoch.RequestAt, 4, 400);
        Random random = new(5);
        byte[] damaged = [.. epoch.Bytes];
        for (int at = 0; at < damaged.Length; at += Step(epoch, at))
        {
            damaged[at] ^= (byte)(1 << random.Next(8));
            epoch.Send(damaged);
            string state = epoch.Compare();
            bool isLegal = state == "old" || (state == "new" && at >= epoch.RequestAt && at < epoch.EndOfQuestion);
            Assert.True(isLegal, $"byte {at} of {damaged.Length} is {damaged[at]:x2} instead of {epoch.Bytes[at]:x2}: {state}");
            damaged[at] = epoch.Bytes[at];
        }

        Assert.Equal(ColoMessage.VmstateLoaded, epoch.Send(damaged)[^1]);
        Assert.Equal("new", epoch.Compare());
    }

    [KvmFact]
    public void HostileEpoch_IsRefusedInOneLine()
    {
        using RecordedEpoch epoch = new("chain.elf", Append, memoryMiB: 3);
        ReadOnlySpan<byte> head = epoch.Bytes.AsSpan(0, epoch.EndOfQuestion + ColoMessageCodec.SizeBytes);
        AssertRefused(epoch, "out of bounds", [.. head, 0, 0, 0, 0, (byte)ColoMessage.VmstateSize, .. Be64((16 << 20) + 1)]);
        AssertRefused(epoch, "out of bounds", [.. head, 0, 0, 0, 0, (byte)ColoMessage.VmstateSize, .. Be64(ulong.MaxValue)]);
        AssertRefused(epoch, "out of bounds", [.. head, 0, 0, 0, 0, (byte)ColoMessage.VmstateSize, .. Be64(0)]);
        byte[] section = [(byte)ElementKind.SectionPart, 0, 0, 0, (byte)RamSectionEncoder.SectionId];
        byte[] zeroPage = [.. Be64(0x1000 | 0x22), 0];
        AssertRefused(epoch, "more pages than the guest has", [.. head, .. section, .. Enumerable.Repeat(zeroPage, 769).SelectMany(static b => b)]);
        AssertRefused(epoch, "outside its RAM block", [.. head, .. section, .. Be64((3 << 20) | 0x22), 0]);
        AssertRefused(epoch, "a BlockList record in an epoch", [.. head, .. section, .. Be64((3 << 20) | 4), 8, .. "colo.ram"u8, .. Be64(3 << 20)]);
        AssertRefused(epoch, "unexpected Command", [.. head, (byte)ElementKind.Command, 0, (byte)StreamCommand.EnableColo, 0, 0]);
        byte[] cut = [0x63, 0x6F, 0, 0x0B];
        AssertRefused(epoch, "sent cut, expected vmstate-send", [0, 0, 0, (byte)ColoMessage.CheckpointRequest, .. cut, .. cut]);
        AssertRefused(epoch, "sent cut, expected checkpoint-request", cut);
        AssertRefused(epoch, "expected checkpoint-request", [0, 0, 0, (byte)ColoMessage.VmstateSend]);
        AssertRefused(epoch, "sends pages ahead of a cut, which was not agreed", [.. section, .. zeroPage]);
        AssertRefused(epoch, "sends pages ahead of a cut, which was not agreed", [0, 0, 0, (byte)ColoMessage.CheckpointRequest, .. section, .. zeroPage]);
    }

    [KvmFact]
    public void HostilePagesAhead_AreRefusedInOneLine()
    {
        using RecordedEpoch epoch = new("chain.elf", Append, memoryMiB: 3, preSend: true);
        byte[] section = [(byte)ElementKind.SectionPart, 0, 0, 0, (byte)RamSectionEncoder.SectionId];
        byte[] zeroPage = [.. Be64(0x1000 | 0x22), 0];
        byte[] end = [.. Be64(0x10), (byte)ElementKind.Footer, .. section[1..]];
        byte[] tooMany = [.. Enumerable.Repeat(zeroPage, RamSectionEncoder.MaxAheadRecords + 1).SelectMany(static b => b)];
        AssertRefused(epoch, "more than 65536 pages ahead of a cut", [.. section, .. tooMany]);
        AssertRefused(epoch, "outside its RAM block", [.. section, .. Be64((3 << 20) | 0x22), 0]);
        AssertRefused(epoch, "without its footer", [.. section, .. zeroPage, .. Be64(0x10), 0, 0, 0, 0, 0]);
        AssertRefused(epoch, "unexpected SectionPart", [section[0], 0, 0, 0, 7, .. zeroPage]);
        AssertRefused(epoch, "not a COLO message", [(byte)ElementKind.SectionEnd, 0, 0, 0, (byte)RamSectionEncoder.SectionId]);
        epoch.Send((byte[])[.. section, .. zeroPage, .. end]);
        Assert.Equal("old", epoch.Compare());
        AssertRefused(epoch, "pages arrived", [.. section, .. zeroPage, .. end, .. epoch.Bytes]); // one more than its trailer says
        Assert.Equal(ColoMessage.VmstateLoaded, epoch.Send(epoch.Bytes)[^1]);
        Assert.Equal("new", epoch.Compare());
    }

    [KvmFact]
    public void ReplayedEpoch_IsRefused()
    {
        using RecordedEpoch epoch = new("chain.elf", Append, memoryMiB: 3);
        byte[] twice = [.. epoch.Bytes, .. epoch.Bytes];
        epoch.Send(twice);
        Assert.Equal("new", epoch.Compare());
        Assert.StartsWith("message: the primary is lost: script: ", epoch.LastMessage, StringComparison.Ordinal);
    }

    [KvmFact]
    public void OldEpoch_StillRunsAfterACut()
    {
        using RecordedEpoch epoch = new("chain.elf", Append, memoryMiB: 3);
        for (int part = 1; part < 20; part++)
        {
            epoch.Send(epoch.Bytes.AsMemory(0, epoch.Bytes.Length * part / 20));
            Assert.Equal("old", epoch.Compare());
        }

        epoch.Secondary.Machine.EndSpeculation();
        int before = epoch.Secondary.Console.Text.Length;
        epoch.Secondary.Machine.Start();
        epoch.Secondary.Console.Said.WaitForMoreLines(5);
        Assert.True(ChainVectors.For(Append).AssertUnbroken(epoch.Secondary.Console.Text[before..]) >= 4);
    }

    // What goes ahead of the request is gone through byte by byte; what comes behind it is the same as in an epoch where nothing did.
    private static int Step(RecordedEpoch epoch, int at) => epoch.RequestAt > 0 && at >= epoch.RequestAt ? 7 : 1;

    private static void AssertRefused(RecordedEpoch epoch, string expected, byte[] bytes)
    {
        epoch.Send(bytes);
        Assert.Equal("old", epoch.Compare());
        Assert.Contains(expected, epoch.LastMessage, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', epoch.LastMessage);
    }

    private static byte[] Be64(ulong value)
    {
        byte[] bytes = new byte[sizeof(ulong)];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return bytes;
    }
}
