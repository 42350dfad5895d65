using Kvm.Colo.Memory;
using Kvm.Colo.Migration.Incoming;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Migration.Outgoing;
using Kvm.Colo.Stream;
using Xunit;

namespace Kvm.Colo.Migration.Tests.Support;

/// <summary>The way of RAM from a primary's memory to a secondary's, without guests: capture, encoder, link, staging, commit.</summary>
internal sealed class EpochPipe : IDisposable
{
    private static readonly TimeSpan s_never = TimeSpan.FromDays(1);

    private readonly MarkedLog _log;
    private readonly BufferLink _link = new();
    private readonly PageStaging _sending;
    private readonly EpochEncoder _encoder;
    private readonly StreamDigest _sent = new(3);
    private readonly StreamDigest _arrived = new(3);
    private readonly LinkReader _reader;
    private readonly RamSectionDecoder _decoder;
    private readonly PageBitmap _changed;
    private readonly ManualTime _time = new();

    public EpochPipe(ulong pages, int cachePages, bool asksForHashes = false, int minPages = 0)
    {
        Settings.PreSendMinPages = minPages;
        Memory = GuestMemory.Create(pages << GuestPage.Shift);
        Replica = GuestMemory.CreateReplica(pages << GuestPage.Shift);
        RamBlockTable blocks = new(new RamBlock(MigrationConstants.RamBlockName, Memory.SizeBytes));
        RamSectionEncoder records = new(blocks);
        RamSender sender = new(_link, Memory, records);
        _log = new MarkedLog(pages);
        _sending = new PageStaging(pages);
        Capture = new EpochCapture(Memory, _log, _sending);
        _encoder = new EpochEncoder(sender, pages, cachePages);
        Capture.LastSent = _encoder.LastSent;
        HashExchange? hashes = asksForHashes ? new HashExchange(sender, blocks, 1) : null;
        Ahead = new AheadSender(Capture, _encoder, hashes, sender, _sent, Settings, _time);
        Sender = sender;
        _reader = new LinkReader(_link);
        _decoder = new RamSectionDecoder(blocks, ColoFeatures.Known);
        Staging = new EpochStaging(pages);
        _changed = new PageBitmap(pages);
        NameTheBlock(records);
        Ahead.Begin();
    }

    public GuestMemory Memory { get; }

    public GuestMemory Replica { get; }

    public MigrationSettings Settings { get; } = new() { PreSendPeriod = TimeSpan.FromMilliseconds(1) };

    public EpochCapture Capture { get; }

    public AheadSender Ahead { get; }

    public RamSender Sender { get; }

    public EpochStaging Staging { get; }

    /// <summary>The guest writes: half of the time as a vCPU does, half of the time through a device.</summary>
    public void Write(ulong page, int offset, ReadOnlySpan<byte> bytes, bool byDevice)
    {
        Assert.True(Memory.TryWrite(Memory.AddressOfPage(page) + (ulong)offset, bytes));
        if (byDevice)
            return;
        Memory.DeviceDirty.Clear(page);
        _log.Mark(page);
    }

    /// <summary>Harvests and sends all that is settled; <paramref name="between"/> runs between the slices.</summary>
    /// <returns>Pages that were captured and not declined.</returns>
    public int SendAhead(Action? between = null)
    {
        int before = Capture.AheadCount;
        _time.Pass(TimeSpan.FromMilliseconds(2));
        while (Ahead.Step(s_never, out _) == TimeSpan.Zero)
            between?.Invoke();
        return Capture.AheadCount - before;
    }

    /// <summary>Cuts, sends the rest, and makes the epoch live on the other side.</summary>
    public void Commit()
    {
        Capture.OnPaused();
        Sender.Digest = _sent;
        int sent = _encoder.Send(Capture, null);
        Sender.Digest = null;
        _encoder.RememberAhead(Capture);
        Receive();
        Assert.Equal(sent, Staging.Received);
        Assert.Equal(_sent.Value, _arrived.Value);
        Assert.Equal(_encoder.Fates.Sent + _encoder.Fates.Identical, Capture.Staging.Count);
        Staging.CommitTo(Replica, _changed);
        Ahead.End();
        Capture.Begin();
        _sent.Reset();
        Ahead.Begin();
        Forget();
    }

    /// <summary>Takes in what has been sent.</summary>
    public void Receive()
    {
        Sender.Flush();
        _reader.Digest = _arrived;
        while (_link.BytesReceived < _link.BytesSent || !_reader.Available.IsEmpty)
            Staging.ReceiveSection(_reader, _decoder, isAhead: _reader.Peek() == (byte)ElementKind.SectionPart);
        _reader.Digest = null;
    }

    /// <summary>The secondary drops what it has staged.</summary>
    public void Forget()
    {
        Staging.Reset();
        _arrived.Reset();
        _changed.ClearAll();
    }

    /// <summary>The first page that differs between the primary and the committed image, or null.</summary>
    public ulong? FirstDifference()
    {
        for (ulong page = 0; page < Memory.PageCount; page++)
        {
            if (!Memory.Page(page).SequenceEqual(Replica.CommittedPage(page)))
                return page;
        }

        return null;
    }

    // The first page of a session does, long before its first epoch.
    private void NameTheBlock(RamSectionEncoder records)
    {
        byte[] record = new byte[RamSectionEncoder.MaxHeadBytes];
        Assert.Equal(FrameStatus.Ok, _decoder.TryRead(record.AsSpan(0, records.WriteZeroPage(record, 0, 0)), out _, out _));
    }

    public void Dispose()
    {
        _encoder.Dispose();
        Capture.Dispose();
        _sending.Dispose();
        _log.Dispose();
        Staging.Dispose();
        _changed.Dispose();
        _link.Dispose();
        Memory.Dispose();
        Replica.Dispose();
    }
}
