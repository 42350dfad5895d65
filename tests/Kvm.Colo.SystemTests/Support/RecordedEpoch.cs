using Kvm.Colo.Machine;
using Kvm.Colo.Machine.Control;
using Kvm.Colo.Memory;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Migration.Disks;
using Kvm.Colo.Migration.Incoming;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Migration.Outgoing;
using Kvm.Colo.Stream;
using Kvm.Colo.TestKit;

namespace Kvm.Colo.SystemTests.Support;

/// <summary>
/// One checkpoint as a real primary sent it, and a real secondary to send it to again and again, whole, cut or damaged. The guest is
/// stopped at both cuts, so the secondary's stands still and its memory and state can be compared with the old epoch and the new.
/// </summary>
internal sealed class RecordedEpoch : IDisposable
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);

    private readonly string _folder = Directory.CreateTempSubdirectory("colo-epoch-").FullName;
    private readonly TestMachine _secondary;
    private readonly RamBlockTable _blocks;
    private readonly SessionSeed _seed;
    private readonly ColoFeatures _features;
    private readonly Image _old;
    private readonly Image _new;
    private readonly byte[] _oldBlob;
    private readonly MigrationSettings _settings = new() { HeartbeatTimeoutMs = 600_000 };
    private bool _isNew = true;

    /// <summary>
    /// Runs a pair through one checkpoint and keeps its bytes, with <paramref name="preSend"/> those of the pages that went ahead of it too.
    /// </summary>
    public RecordedEpoch(string image, string append, ulong memoryMiB, bool preSend = false)
    {
        _secondary = new TestMachine(null, memoryMiB: memoryMiB, incoming: true);
        _settings.PreSend = preSend;
        using TestMachine primary = new(image, append, memoryMiB);
        _blocks = new RamBlockTable(new RamBlock(MigrationConstants.RamBlockName, memoryMiB << 20));
        MigrationUri uri = new(MigrationTransport.Unix, Path.Combine(_folder, "link"), 0);
        using LinkListener listener = new(uri);
        using RecordingLink link = new(LinkFactory.Connect(uri, s_deadline));
        using MigrationControl theirs = new(_secondary.Recorder, ColoMode.Secondary);
        using MigrationControl ours = new(primary.Recorder, ColoMode.Primary);
        MigrationSettings settings = new() { Colo = true, CheckpointDelayMs = int.MaxValue, HeartbeatTimeoutMs = 600_000, PreSend = preSend };
        if (preSend)
        {
            settings.PreSendMinPages = 0;
            settings.PreSendPeriod = TimeSpan.FromMilliseconds(1);
            settings.PageHashes = false; // pages without a short form would wait for the question
        }

        primary.Machine.Start();
        primary.Console.WaitFor(" start");
        primary.Machine.Stop();
        TestThread incoming = TestThread.Start("incoming", () => RunIncoming(listener, theirs));
        TestThread outgoing = TestThread.Start("outgoing", () => RunOutgoing(primary.Machine, settings, ours, link));
        primary.Recorder.WaitUntil(() => ours.Status == MigrationStatus.Colo && link.Received.Length >= ReplyAndReady, "the session");
        _old = Image.Take(_secondary.Machine);
        _oldBlob = SaveBlob(_secondary.Machine);

        int start = link.Sent.Length;
        primary.Machine.Start();
        primary.Console.Said.WaitForMoreLines(2); // the rest of the first line changes no page
        primary.Machine.Stop();
        if (preSend)
            primary.Recorder.WaitUntil(() => link.Sent.Length > start + GuestPage.SizeBytes, "pages ahead of the cut");
        else
            start = link.Sent.Length;
        ours.RequestCheckpoint(CheckpointCause.Request);
        primary.Recorder.WaitUntil(() => ours.Statistics.Counters.Epoch == 1, "the checkpoint");
        Bytes = link.Sent[start..];
        _new = Image.Take(_secondary.Machine);
        ours.Cancel();
        theirs.Cancel();
        outgoing.Join(s_deadline);
        incoming.Join(s_deadline);
        (_seed, _features) = ReadNegotiation(link.Sent, link.Received);
        RequestAt = PositionOfRequest();
    }

    // The answer to the configuration, then checkpoint-ready.
    private const int ReplyAndReady = ConfigurationReply.SizeBytes + ColoMessageCodec.SizeBytes;

    /// <summary>Everything the primary sent for the checkpoint, from the first page ahead of it, or checkpoint-request, to the end of the
    /// device state.</summary>
    public byte[] Bytes { get; }

    /// <summary>Where checkpoint-request stands.</summary>
    public int RequestAt { get; }

    /// <summary>Where the question about pages ends and the epoch itself begins. The answer to a damaged question is honest too, and
    /// the primary goes by it, so such damage changes what is sent, not what arrives.</summary>
    public int EndOfQuestion
    {
        get
        {
            int after = RequestAt + ColoMessageCodec.SizeBytes;
            return PageHashQuery.TryReadHead(Bytes.AsSpan(after), _blocks, out PageHashQuery query, out int head) == FrameStatus.Ok
                ? after + head + (query.Count * PageHashQuery.EntryBytes)
                : after;
        }
    }

    /// <summary>The last thing the secondary complained about.</summary>
    public string LastMessage => Array.FindLast(_secondary.Recorder.Events, static e => e.StartsWith("message", StringComparison.Ordinal)) ?? "";

    public TestMachine Secondary => _secondary;

    /// <summary>Pages that differ between the two epochs.</summary>
    public int ChangedPages => _old.DifferentPages(_new);

    /// <summary>Puts the secondary back to the old epoch, sends it these bytes and hangs up.</summary>
    /// <returns>What it answered.</returns>
    public ColoMessage[] Send(ReadOnlyMemory<byte> bytes)
    {
        using MigrationControl control = new(_secondary.Recorder, ColoMode.Secondary);
        using ScriptedLink link = new(bytes, control.Cancel);
        _secondary.Recorder.OnEvent = text => EndAtExit(text, control); // refused before the script was through
        VerificationOwner verification = new();
        DeviceSectionReader devices = new([.. _secondary.Machine.StateOwners, verification]);
        if (devices.TryRead(_oldBlob, out _) != FrameStatus.Ok)
            throw new InvalidOperationException(devices.Reason);
        RamSectionDecoder ram = new(_blocks, _features);
        NameTheBlock(ram);
        LinkReader reader = new(link);
        using DiskReceiver disks = new(_secondary.Machine, reader);
        using ColoSecondary session = new(
            _secondary.Machine, _settings, control, reader, _blocks, ram, devices, disks, verification, _seed, _features);
        session.Run(new LoadOld(this, devices));
        return Words(link.Answers);
    }

    /// <summary>"old", "new", or what makes it neither.</summary>
    public string Compare()
    {
        string? fromOld = _old.Difference(_secondary.Machine);
        if (fromOld is null)
        {
            _isNew = false;
            return "old";
        }

        string? fromNew = _new.Difference(_secondary.Machine);
        _isNew = true;
        return fromNew is null ? "new" : $"neither: not the old epoch ({fromOld}), not the new one ({fromNew})";
    }

    public void Dispose()
    {
        _secondary.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static void EndAtExit(string text, MigrationControl control)
    {
        if (text.StartsWith("COLO_EXIT", StringComparison.Ordinal))
            control.Cancel();
    }

    private void RunIncoming(LinkListener listener, MigrationControl control)
    {
        using ILink link = listener.Accept();
        using IncomingMigration migration = new(_secondary.Machine, _settings, control, link);
        migration.Run();
    }

    private static void RunOutgoing(VirtualMachine machine, MigrationSettings settings, MigrationControl control, ILink link)
    {
        using OutgoingMigration migration = new(machine, settings, control, link);
        migration.Run();
    }

    private static (SessionSeed Seed, ColoFeatures Features) ReadNegotiation(ReadOnlySpan<byte> sent, ReadOnlySpan<byte> received)
    {
        StreamConfigurationCodec.TryRead(sent[StreamHeader.SizeBytes..], out StreamConfiguration? configuration, out _);
        ColoConfiguration ours = configuration!.Colo!.Value;
        if (ConfigurationReply.TryRead(received, ours, out ConfigurationReply reply) != FrameStatus.Ok)
            throw new InvalidOperationException("no answer to the configuration was recorded");
        return (SessionSeed.Combine(ours.SeedPart, reply.SeedPart), reply.AcceptedFeatures);
    }

    private static byte[] SaveBlob(VirtualMachine machine)
    {
        StateFields.Live(machine); // captures
        using ChannelBuffer buffer = new();
        new DeviceSectionWriter(buffer, [.. machine.StateOwners, new VerificationOwner()]).Write();
        return buffer.WrittenSpan.ToArray();
    }

    // Pages ahead of the cut and heartbeats stand before it.
    private int PositionOfRequest()
    {
        RamSectionDecoder ram = new(_blocks, _features);
        NameTheBlock(ram);
        int at = 0;
        while (Bytes[at] != 0)
        {
            if (Bytes[at] == (byte)ElementKind.PrivateMessage)
            {
                at += ColoMessageCodec.SizeBytes;
                continue;
            }

            RamRecord record = default;
            for (at += ElementCodec.ShortSectionBytes; record.Kind != RamRecordKind.EndOfSection; at += record.PayloadBytes)
            {
                if (ram.TryRead(Bytes.AsSpan(at), out record, out int head) != FrameStatus.Ok)
                    throw new InvalidOperationException(ram.Reason);
                at += head;
            }

            at += ElementCodec.FooterBytes;
        }

        return at;
    }

    // The first page of a session names its block, all later ones continue it.
    private void NameTheBlock(RamSectionDecoder ram)
    {
        byte[] record = new byte[RamSectionEncoder.MaxHeadBytes + 1];
        new RamSectionEncoder(_blocks).WriteZeroPage(record, 0, 0);
        if (ram.TryRead(record, out _, out _) != FrameStatus.Ok)
            throw new InvalidOperationException(ram.Reason);
    }

    private static ColoMessage[] Words(byte[] answers)
    {
        List<ColoMessage> words = [];
        for (int at = 0; at < answers.Length;)
        {
            var word = (ColoMessage)System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(answers.AsSpan(at));
            words.Add(word);
            if (word == ColoMessage.Refusal)
                at += Refusal.HeadBytes + System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(answers.AsSpan(at + ColoMessageCodec.SizeBytes));
            else if (word == ColoMessage.PageVerdicts)
                at += PageHashAnswer.FrameBytes((int)System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(answers.AsSpan(at + 4)));
            else
                at += ColoMessageCodec.SizeBytes;
        }

        return [.. words];
    }

    private sealed class LoadOld(RecordedEpoch epoch, DeviceSectionReader devices) : IPauseWork
    {
        public void OnPaused()
        {
            if (epoch._isNew)
                epoch._old.WriteTo(epoch._secondary.Machine.Memory);
            if (devices.Apply() is { } failure)
                throw new InvalidOperationException(failure);
        }
    }

    /// <summary>RAM and state of a machine whose guest is stopped.</summary>
    private sealed class Image(byte[] ram, IReadOnlyList<(string Name, string Value)> state)
    {
        public static Image Take(VirtualMachine machine)
        {
            byte[] ram = new byte[machine.Memory.SizeBytes];
            for (ulong page = 0; page < machine.Memory.PageCount; page++)
                machine.Memory.Page(page).CopyTo(ram.AsSpan((int)(page << GuestPage.Shift)));
            return new Image(ram, StateFields.Live(machine));
        }

        public int DifferentPages(Image other)
        {
            int count = 0;
            for (int page = 0; page < ram.Length >> GuestPage.Shift; page++)
                count += Page((ulong)page).SequenceEqual(other.Page((ulong)page)) ? 0 : 1;
            return count;
        }

        public void WriteTo(GuestMemory memory)
        {
            for (ulong page = 0; page < memory.PageCount; page++)
            {
                if (!memory.CommittedPage(page).SequenceEqual(Page(page)))
                    memory.WriteCommittedPage(page, Page(page));
            }

            memory.DropPrivatePages(0, memory.PageCount);
        }

        // What the guest sees and the committed image beneath it.
        public string? Difference(VirtualMachine machine)
        {
            for (ulong page = 0; page < machine.Memory.PageCount; page++)
            {
                if (!machine.Memory.Page(page).SequenceEqual(Page(page)))
                    return $"the guest's page {page}";
                if (!machine.Memory.CommittedPage(page).SequenceEqual(Page(page)))
                    return $"the committed page {page}";
            }

            return StateFields.Difference(StateFields.Live(machine), state);
        }

        private ReadOnlySpan<byte> Page(ulong page) => ram.AsSpan((int)(page << GuestPage.Shift), GuestPage.SizeBytes);
    }
}
