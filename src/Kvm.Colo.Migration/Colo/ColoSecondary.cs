using System.Diagnostics;
using Kvm.Colo.Machine;
using Kvm.Colo.Machine.Control;
using Kvm.Colo.Memory;
using Kvm.Colo.Migration.Disks;
using Kvm.Colo.Migration.Incoming;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Colo;

/// <summary>
/// The secondary's side of a COLO session: its guest runs, epochs are staged beside it and made live when they are whole and verified.
/// Runs on the migration thread. A link that breaks at any byte leaves the guest with the old epoch or the new one.
/// </summary>
internal sealed partial class ColoSecondary : IDisposable
{
    private readonly VirtualMachine _machine;
    private readonly MigrationSettings _settings;
    private readonly MigrationControl _control;
    private readonly ILink _link;
    private readonly LinkReader _reader;
    private readonly RamBlockTable _blocks;
    private readonly RamSectionDecoder _ram;
    private readonly DeviceSectionReader _devices;
    private readonly ColoFeatures _features;
    private readonly EpochStaging _staging;
    private readonly EpochApply _apply;
    private readonly DiskReceiver _disks;
    private readonly ApplyPause _pause;
    private readonly ChannelBuffer _wire = new();
    private readonly StreamDigest _digest;
    private readonly long _hashSeed;
    private readonly byte[] _answer = new byte[PageHashAnswer.FrameBytes(PageHashQuery.MaxCount)];
    private ChannelBuffer _blob = new();
    private ChannelBuffer _previousBlob = new();
    private ulong _epoch;
    private long _cutAt;
    private bool _peerHasEnded;
    private bool _saidGoodbye;

    public ColoSecondary(
        VirtualMachine machine,
        MigrationSettings settings,
        MigrationControl control,
        LinkReader reader,
        RamBlockTable blocks,
        RamSectionDecoder ram,
        DeviceSectionReader devices,
        DiskReceiver disks,
        VerificationOwner verification,
        SessionSeed seed,
        ColoFeatures features)
    {
        _machine = machine;
        _settings = settings;
        _control = control;
        _link = reader.Link;
        _reader = reader;
        _blocks = blocks;
        _ram = ram;
        _devices = devices;
        _features = features | ColoFeatures.Negotiated;
        _staging = new EpochStaging(machine.Memory.PageCount);
        _apply = new EpochApply(machine.Memory, machine.DirtyLog, _staging, devices, verification, settings.KeepHotPages);
        _disks = disks;
        _pause = new ApplyPause(machine, _apply, disks, verification);
        verification.Proving = OnProving;
        _digest = new StreamDigest(seed.DigestSeed);
        _hashSeed = seed.PageHashSeed;
    }

    /// <summary>Makes the first state live, then takes epochs until the session ends, and completes the failover.</summary>
    public void Run(IPauseWork first)
    {
        BeginSpeculation();
        _machine.Memory.DeviceDirty.ClearAll();
        _machine.DirtyLog.Start();
        _machine.Apply(first, RunState.Colo);
        _control.SetStatus(MigrationStatus.Colo);
        try
        {
            Send(ColoMessage.CheckpointReady);
            _link.SendDeadline = _settings.StepDeadline;
            _reader.Arrived = OnProgress;
            ReceiveEpochs();
            if (_machine.Ended.IsCompleted && !_peerHasEnded)
                SayGoodbye();
        }
        catch (Exception e) when (e is LinkException or MigrationException or TimeoutException or MachineCommandException)
        {
            if (!_control.Failover.IsClosed)
                _control.Failover.MarkBroken();
            if (e is MigrationException && !_control.Failover.IsPending && (_features & ColoFeatures.Disks) != 0)
                RefusalSender.Send(_link, e.Message, _control);
            string what = _machine.State == RunState.InternalError ? "this side cannot go on" : "the primary is lost";
            if (!_control.Failover.IsPending && !_control.Cancelled.WaitOne(0))
                _control.OnMessage($"{what}: {e.Message}");
        }

        _control.Statistics.End();
        _link.Shutdown();
        if (_saidGoodbye || (_peerHasEnded && !_control.Failover.IsClosed))
            ColoExit.End(_control);
        else
            ColoExit.Complete(_control, _machine.EndSpeculation);

        // Last, because KVM rebuilds its page tables for it, and a guest that takes over has no time for that.
        _machine.DirtyLog.Stop();
    }

    public void Dispose()
    {
        _apply.Dispose();
        _staging.Dispose();
        _wire.Dispose();
        _blob.Dispose();
        _previousBlob.Dispose();
    }

    private void ReceiveEpochs()
    {
        try
        {
            while (!_control.Failover.IsPending && !_control.Cancelled.WaitOne(0) && !_machine.Ended.IsCompleted && !_peerHasEnded)
                ReceiveOne();
        }
        catch (MachineCommandException) when (_machine.Ended.IsCompleted)
        {
            // It ended while an epoch was on its way; the link is whole, so the primary can be told.
        }
    }

    private void SayGoodbye()
    {
        MachineEnd end = _machine.Ended.GetAwaiter().GetResult();
        ShutdownNotice notice = new((uint)end.Cause, Math.Min((uint)end.ExitStatus, ShutdownNotice.MaxExitStatus));
        if ((_features & ColoFeatures.ShutdownNotice) == 0)
            return;
        Span<byte> message = stackalloc byte[ShutdownNotice.SizeBytes];
        notice.Write(message);
        _link.Send(message);
        _control.OnColoSent(ColoMessage.ShutdownNotice);
        _saidGoodbye = true;
    }

    // A guest that ended itself has ended here too. One whose host ended it can go on: whether it does is the operator's decision.
    private void OnPeerEnd()
    {
        _reader.Require(ShutdownNotice.SizeBytes);
        if (ShutdownNotice.TryRead(_reader.Available, out ShutdownNotice notice) != FrameStatus.Ok || !Enum.IsDefined((ShutdownCause)notice.Cause))
            throw new MigrationException($"{_link.Description}: a malformed shutdown notice");
        _reader.Consume(ShutdownNotice.SizeBytes);
        _peerHasEnded = true;
        Send(ColoMessage.ShutdownReceived);
        var cause = (ShutdownCause)notice.Cause;
        if (cause is ShutdownCause.GuestShutdown or ShutdownCause.GuestReset or ShutdownCause.GuestPanic)
        {
            _machine.EndWithPeer(cause, (int)notice.ExitStatus);
            return;
        }

        _control.Failover.MarkClosed();
        _control.OnMessage($"the primary was ended ({cause})");
    }

    private void BeginSpeculation()
    {
        try
        {
            _machine.BeginSpeculation();
        }
        catch (IOException e)
        {
            throw new MigrationException($"no place for what the guest writes on its own: {e.Message}");
        }
    }

    private void ReceiveOne()
    {
        _reader.Deadline = TimeSpan.FromMilliseconds(_settings.HeartbeatTimeoutMs);
        if (TryReceiveAhead())
            return;
        ColoMessage message = ReadMessage();
        switch (message)
        {
            case ColoMessage.Heartbeat:
                Send(ColoMessage.Heartbeat);
                break;
            case ColoMessage.CheckpointRequest:
                ReceiveEpoch();
                break;
            case ColoMessage.ShutdownNotice:
                OnPeerEnd();
                break;
            default:
                throw new MigrationException($"{_link.Description} sent {message.Name()}, expected checkpoint-request");
        }
    }

    private void ReceiveEpoch()
    {
        _control.Statistics.Begin(_epoch + 1);
        Send(ColoMessage.CheckpointReply);
        _disks.Reset();
        _cutAt = 0;
        try
        {
            ReceiveAndApply();
        }
        finally
        {
            _machine.ForgoEpoch();
        }
    }

    private void ReceiveAndApply()
    {

        // Until here the primary copies and hashes what it will send, which may be all its RAM, and says nothing.
        _reader.Deadline = _settings.StepDeadlineFor(_machine.Memory.SizeBytes);
        Expect(ColoMessage.VmstateSend);
        _reader.Deadline = _settings.StepDeadline;
        while (ReadRamSection())
        {
            // Until the end of the RAM sections.
        }

        Expect(ColoMessage.VmstateSize);
        ReceiveBlob();
        if (_devices.ReadEpoch(_blob.WrittenMemory, _digest, _epoch + 1, (ulong)_staging.Received) != FrameStatus.Ok)
            throw new MigrationException($"{_link.Description}: epoch {_epoch + 1}: {_devices.Reason}");
        _disks.Reserve();
        if (!_control.Failover.TryBeginLoad())
            return;
        TimeSpan pause;
        TimeSpan apply;
        try
        {
            Send(ColoMessage.VmstateReceived);
            _epoch++;
            long start = Stopwatch.GetTimestamp();
            pause = _machine.Apply(_pause, RunState.Colo, _cutAt);
            apply = Stopwatch.GetElapsedTime(start);
        }
        finally
        {
            _control.Failover.EndLoad();
        }

        (_blob, _previousBlob) = (_previousBlob, _blob);
        _control.OnEpoch(
            new EpochRecord(_epoch, _staging.Count, _staging.Fates, _wire.Length + (long)_digest.ByteCount, pause, TimeSpan.Zero, apply)
            {
                Skew = _machine.Skew,
            });
        _staging.Reset();
        _digest.Reset();
        Send(ColoMessage.VmstateLoaded);
    }

    // Pages of the epoch to come: staged like those behind its cut, and nothing without it.
    private bool TryReceiveAhead()
    {
        if (_reader.Peek() != (byte)ElementKind.SectionPart)
            return false;
        if (ForwardDemux.Classify(_reader.Peek(), ForwardPosition.Message, _features) != ForwardItem.Element)
            throw new MigrationException($"{_link.Description} sends pages ahead of a cut, which was not agreed");
        ReadPart(isAhead: true);
        return true;
    }

    // False at the EOF that ends an epoch's RAM.
    private bool ReadRamSection()
    {
        switch (_reader.Peek())
        {
            case (byte)ElementKind.PrivateMessage:
                OnMessageAmongSections();
                return true;
            case (byte)ElementKind.Eof:
                _reader.Consume(1);
                return false;
            default:
                ReadPart(isAhead: false);
                return true;
        }
    }

    private void ReadPart(bool isAhead)
    {
        _reader.Digest = _digest;
        _staging.ReceiveSection(_reader, _ram, isAhead);
        _reader.Digest = null;
    }

    private void ReceiveBlob()
    {
        _reader.Require(VmstateSize.SizeBytes);
        if (VmstateSize.TryRead(_reader.Available, VmstateSize.DefaultLimitBytes, out int bytes) != FrameStatus.Ok)
            throw new MigrationException($"{_link.Description}: the size of the device state is out of bounds");
        _reader.Consume(VmstateSize.SizeBytes);
        bool isDelta = (_features & ColoFeatures.StateDelta) != 0;
        ChannelBuffer received = isDelta ? _wire : _blob;
        if (!received.TryReceive(bytes, out Memory<byte> area))
            throw new MigrationException($"{_link.Description}: the device state of {bytes} bytes is too large");
        _reader.ReadExactly(area.Span);
        if (isDelta && BlobDelta.TryDecode(_wire.WrittenSpan, _previousBlob.WrittenSpan, _blob) != FrameStatus.Ok)
            throw new MigrationException($"{_link.Description}: the device state is not a difference to the last epoch's");
    }

    // Which of these pages has the guest here written just so? Those need not come.
    private void AnswerHashes()
    {
        PageHashQuery query;
        int consumed;
        while (true)
        {
            FrameStatus status = PageHashQuery.TryReadHead(_reader.Available, _blocks, out query, out consumed);
            if (status == FrameStatus.Ok)
                break;
            if (status == FrameStatus.Malformed)
                throw new MigrationException($"{_link.Description}: a malformed question about pages");
            _reader.Fill();
        }

        _reader.Digest = _digest;
        _reader.Consume(consumed);
        PageHashAnswer.Write(_answer, query.Count);
        for (int i = 0; i < query.Count; i++)
        {
            _reader.Require(PageHashQuery.EntryBytes);
            if (query.TryReadEntry(_reader.Available, _blocks, out ulong offset, out UInt128 hash) != FrameStatus.Ok)
                throw new MigrationException($"{_link.Description}: asks about a page outside the guest's RAM");
            _reader.Consume(PageHashQuery.EntryBytes);
            if (!_staging.TryTakeOwn(_reader, _machine.Memory, offset >> GuestPage.Shift, hash, _hashSeed))
                PageHashAnswer.MarkDiffers(_answer, i);
        }

        _reader.Digest = null;
        _link.Send(_answer.AsSpan(0, PageHashAnswer.FrameBytes(query.Count)));
        _control.OnColoSent(ColoMessage.PageVerdicts);
    }

    private void OnMessageAmongSections()
    {
        ColoMessage message = ReadMessage();
        switch (message)
        {
            case ColoMessage.Heartbeat:
                Send(ColoMessage.Heartbeat);
                break;
            case ColoMessage.DiskData or ColoMessage.DiskZeroes:
                _reader.Digest = _digest;
                _disks.Stage();
                _reader.Digest = null;
                break;
            default:
                throw new MigrationException($"{_link.Description} sent {message.Name()} among RAM sections");
        }
    }
}
