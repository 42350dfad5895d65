using System.Net.Sockets;
using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Stream;
using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.SystemTests;

/// <summary>A waiting secondary is told nonsense: one line says what was wrong, and a good primary is taken afterwards.</summary>
[Trait("Category", "RequiresKvm")]
public sealed class HostilePeerTests : IDisposable
{
    private const ulong MemoryMiB = 8;
    private const ColoFeatures Features = ColoFeatures.EpochDigest | ColoFeatures.Heartbeat;

    private static readonly ColoConfiguration s_good = new(Features, Features, 1, 4096, MemoryMiB << 20, 1);

    private readonly string _folder = Directory.CreateTempSubdirectory("colo-hostile-").FullName;

    private MigrationUri Uri => new(MigrationTransport.Unix, Path.Combine(_folder, "link"), 0);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<string, string> BadStreams() => new()
    {
        { "nothing", "closed the connection" },
        { "random", "not a migration stream" },
        { "header only", "closed the connection" },
        { "version 4", "not a migration stream" },
        { "machine type", "its machine is a 'pc-i440fx-7.2'" },
        { "no configuration", "configuration/colo-vm is missing" },
        { "RAM size", "its guest has 16 MiB of RAM, this one 8" },
        { "vCPUs", "its guest has 2 vCPUs, this one 1" },
        { "page size", "configuration section is malformed" },
        { "feature", "it insists on" },
        { "unknown command", "malformed" },
        { "unknown section", "a section of an unknown kind" },
        { "page outside RAM", "page offset outside its RAM block" },
        { "unknown block", "unknown RAM block" },
        { "unknown flags", "unknown page flags" },
        { "no footer", "RAM section without its footer" },
        { "unknown device", "a section of an unknown device" },
        { "oversize device", "closed the connection" },
        { "missing devices", "is missing" },
        { "bare end", "unexpected Eof" },
    };

    [KvmTheory]
    [MemberData(nameof(BadStreams))]
    public void BadStream_IsRefused_AndAGoodPrimaryTakenAfterwards(string kind, string expected)
    {
        using TestMachine secondary = new(null, memoryMiB: MemoryMiB, incoming: true);
        secondary.Migration.Listen(Uri, keepListening: true);
        using Socket peer = Say(Build(kind));
        secondary.Recorder.WaitFor("message: ");
        string message = Assert.Single(secondary.Recorder.Events, static e => e.StartsWith("message", StringComparison.Ordinal));
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.EndsWith("; waiting for a primary again", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        Assert.Equal(RunState.InMigrate, secondary.Machine.State);
        AssertTakesAGoodPrimary(secondary);
    }

    [KvmFact]
    public void RandomStreams_NeverEndTheWaiting()
    {
        const int Streams = 300;
        using TestMachine secondary = new(null, memoryMiB: MemoryMiB, incoming: true);
        secondary.Migration.Listen(Uri, keepListening: true);
        Random random = new(9);
        byte[] good = Build("good");
        for (int i = 1; i <= Streams; i++)
        {
            byte[] bad = [.. good];
            for (int change = 0; change < 1 + (i % 3); change++)
                bad[random.Next(bad.Length)] = (byte)random.Next(256);
            using Socket peer = Say(bad.AsMemory(0, i % 5 == 0 ? random.Next(bad.Length) : bad.Length));
            AwaitHangUp(peer);
            Assert.Equal(RunState.InMigrate, secondary.Machine.State);
        }

        AssertTakesAGoodPrimary(secondary);
    }

    private static void AwaitHangUp(Socket peer)
    {
        byte[] answer = new byte[4096];
        peer.ReceiveTimeout = 30_000;
        try
        {
            while (peer.Receive(answer) > 0)
            {
                // Whatever it answers before it hangs up.
            }
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // It hung up with bytes unread.
        }
    }

    private void AssertTakesAGoodPrimary(TestMachine secondary)
    {
        using TestMachine primary = new("chain.elf", "report=20000", MemoryMiB);
        primary.Migration.Settings.CheckpointDelayMs = 0;
        primary.Migration.Settings.VerifyCheckpoints = true;
        primary.Machine.Start();
        primary.Migration.Protect(Uri);
        secondary.Recorder.WaitUntil(
            () => secondary.Migration.Current!.Statistics.Counters.Epoch >= 5, "five checkpoints");
        Assert.Equal(MigrationStatus.Colo, primary.Migration.Current!.Status);
    }

    // The socket stays open, so that the other side can answer; nothing more is said.
    private Socket Say(ReadOnlyMemory<byte> bytes)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(Uri.Target));
        try
        {
            socket.Send(bytes.Span);
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // Refused before it was through.
        }

        return socket;
    }

    private static byte[] Build(string kind)
    {
        using ChannelBuffer buffer = new();
        if (kind == "nothing")
            return [];
        if (kind == "random")
        {
            byte[] random = new byte[4096];
            new Random(4).NextBytes(random);
            return random;
        }

        buffer.WriteU32(StreamHeader.Magic);
        buffer.WriteU32(kind == "version 4" ? 4u : 3u);
        if (kind == "header only")
            return buffer.WrittenSpan.ToArray();
        StreamConfigurationCodec.Write(buffer, new StreamConfiguration
        {
            MachineType = kind == "machine type" ? "pc-i440fx-7.2" : MigrationConstants.MachineType,
            Colo = kind == "no configuration" ? null : Configuration(kind),
        });
        WriteBody(buffer, kind);
        return buffer.WrittenSpan.ToArray();
    }

    private static ColoConfiguration Configuration(string kind) => kind switch
    {
        "RAM size" => s_good with { RamSizeBytes = 16 << 20 },
        "vCPUs" => s_good with { VcpuCount = 2 },
        "page size" => s_good with { PageSizeBytes = 65536 },
        "feature" => s_good with { RequestedFeatures = ColoFeatures.PreSend, OfferedFeatures = ColoFeatures.PreSend },
        _ => s_good,
    };

    private static void WriteBody(ChannelBuffer buffer, string kind)
    {
        RamBlockTable blocks = new(new RamBlock(MigrationConstants.RamBlockName, MemoryMiB << 20));
        RamSectionEncoder encoder = new(blocks);
        if (kind == "unknown command")
            buffer.WriteBytes([(byte)ElementKind.Command, 0, 99, 0, 0]);
        if (kind == "bare end")
            ElementCodec.WriteEof(buffer);
        ElementCodec.WriteSection(
            buffer, ElementKind.SectionStart, RamSectionEncoder.SectionId, kind == "unknown section" ? "rom" : "ram", 0, RamSectionEncoder.SectionVersion);
        byte[] record = new byte[encoder.BlockListBytes + 64];
        buffer.WriteBytes(record.AsSpan(0, encoder.WriteBlockList(record)));
        WritePages(buffer, encoder, record, kind);
        buffer.WriteBytes(record.AsSpan(0, RamSectionEncoder.WriteEndOfSection(record)));
        if (kind == "no footer")
            buffer.WriteBytes(new byte[ElementCodec.FooterBytes]);
        else
            ElementCodec.WriteFooter(buffer, RamSectionEncoder.SectionId);
        WriteDevices(buffer, kind);
    }

    private static void WritePages(ChannelBuffer buffer, RamSectionEncoder encoder, byte[] record, string kind)
    {
        buffer.WriteBytes(record.AsSpan(0, encoder.WriteZeroPage(record, 0, 0)));
        buffer.WriteBytes(record.AsSpan(0, encoder.WritePage(record, 0, 4096)));
        buffer.WriteBytes(new byte[4096]);
        switch (kind)
        {
            case "page outside RAM":
                buffer.WriteU64((MemoryMiB << 20) | 0x28); // a page of the same block, just past its end
                break;
            case "unknown block":
                buffer.WriteU64(8);
                buffer.WriteName("pc.ram");
                break;
            case "unknown flags":
                buffer.WriteU64(0x1000 | 0x800);
                break;
        }
    }

    private static void WriteDevices(ChannelBuffer buffer, string kind)
    {
        if (kind is not ("unknown device" or "oversize device" or "missing devices"))
            return;
        ElementCodec.WriteSection(buffer, ElementKind.SectionFull, 3, kind == "unknown device" ? "floppy" : "globalstate", 0, 1);
        buffer.WriteU32(kind == "oversize device" ? uint.MaxValue : 100);
        if (kind == "oversize device")
            return;
        byte[] name = new byte[100];
        "running"u8.CopyTo(name);
        buffer.WriteBytes(name);
        ElementCodec.WriteFooter(buffer, 3);
        ElementCodec.WriteEof(buffer);
    }
}
