using System.Diagnostics;
using Kvm.Colo.Machine;
using Kvm.Colo.Memory;
using Kvm.Colo.Migration.Disks;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Migration.Outgoing;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Colo;

/// <summary>
/// The primary's side of a COLO session, from the moment the peer has everything to the failover. Runs on the migration thread. The
/// guest is stopped for a capture only; nothing in that pause waits for the peer.
/// </summary>
internal sealed class ColoPrimary : IDisposable
{
    // A guest that waits for longer than this, and whose clocks then leap as far, does nothing but catch up.
    private static readonly TimeSpan s_longestInTime = TimeSpan.FromMilliseconds(100);

    private readonly VirtualMachine _machine;
    private readonly MigrationSettings _settings;
    private readonly MigrationControl _control;
    private readonly ILink _link;
    private readonly ReturnInbox _inbox;
    private readonly EpochCapture _capture;
    private readonly DiskSender _disks;
    private readonly CutPause _pause;
    private readonly StrictPause _strictPause;
    private readonly EpochPace _pace;
    private readonly RamSender _sender;
    private readonly EpochEncoder _encoder;
    private readonly HashExchange? _hashes;
    private readonly AheadSender? _ahead;
    private readonly StateSender _state;
    private readonly StreamDigest _digest;
    private readonly bool _knowsNotices;
    private readonly bool _saysCut;
    private readonly byte[] _word = new byte[ColoMessageCodec.SizeBytes];
    private readonly CheckpointClock _clock = new(TimeProvider.System);
    private ulong _epoch;
    private long _epochBegan;
    private long _lastBeat;
    private long _beats;
    private long _sentBefore;
    private TimeSpan _commit;
    private TimeSpan _apply;
    private long _bytesAhead;
    private bool _saidGoodbye;

    public ColoPrimary(
        VirtualMachine machine,
        MigrationSettings settings,
        MigrationControl control,
        ILink link,
        ReturnInbox inbox,
        EpochCapture capture,
        DiskSender disks,
        RamSender sender,
        RamBlockTable blocks,
        IReadOnlyList<IStateOwner> owners,
        SessionSeed seed,
        ColoFeatures features)
    {
        _machine = machine;
        _settings = settings;
        _control = control;
        _link = link;
        _inbox = inbox;
        _capture = capture;
        _disks = disks;
        _pause = new CutPause(machine, capture, disks);
        capture.Verification.Proving = OnProving;
        _strictPause = new StrictPause(_pause, Exchange);
        _pace = new EpochPace(settings, TimeProvider.System);
        _sender = sender;
        _digest = new StreamDigest(seed.DigestSeed);
        bool deltas = (features & ColoFeatures.Deltas) != 0;
        _encoder = new EpochEncoder(sender, machine.Memory.PageCount, deltas ? settings.DeltaCachePages : 0);
        capture.LastSent = _encoder.LastSent;
        _hashes = (features & ColoFeatures.PageHashes) != 0 ? new HashExchange(sender, blocks, seed.PageHashSeed) : null;
        _ahead = (features & ColoFeatures.PreSend) != 0
            ? new AheadSender(capture, _encoder, _hashes, sender, _digest, settings, TimeProvider.System)
            : null;
        _knowsNotices = (features & ColoFeatures.ShutdownNotice) != 0;
        _saysCut = (features & ColoFeatures.CutNotice) != 0;
        _state = new StateSender(owners, isDelta: (features & ColoFeatures.StateDelta) != 0);
    }

    /// <summary>Checkpoints until a failover is asked for, whatever breaks before that.</summary>
    public void Run()
    {
        _settings.CheckpointDelayChanged += OnDelayChanged;
        try
        {
            Expect(ColoMessage.CheckpointReady, MigrationConstants.StepDeadline);
            _machine.Io.CommitOutput();
            _link.SendDeadline = _settings.StepDeadline;
            _clock.Restart();
            BeginEpoch();
            _machine.Ended.GetAwaiter().OnCompleted(_control.Wake);
            while (WaitForTrigger() is { } cause)
                Transact(cause);
            if (_machine.Ended.IsCompleted && !_control.Failover.IsPending && !_control.Cancelled.WaitOne(0))
                SayGoodbye();
        }
        catch (Exception e) when (e is LinkException or MigrationException or TimeoutException or MachineCommandException)
        {
            if (!_control.Failover.IsClosed)
                _control.Failover.MarkBroken();
            if (!_control.Failover.IsPending && !_control.Cancelled.WaitOne(0))
                _control.OnMessage($"protection is lost: {(e is LinkException broken ? _inbox.Explain(broken) : e).Message}");
        }
        finally
        {
            _settings.CheckpointDelayChanged -= OnDelayChanged;
        }

        Leave();
    }

    public void Dispose()
    {
        _capture.LastSent = null;
        _capture.Verification.Proving = null;
        _encoder.Dispose();
        _state.Dispose();
    }

    private void OnDelayChanged() => _control.RequestCheckpoint(CheckpointCause.Timer);

    // Why there is to be a checkpoint; null when the session is to end.
    private CheckpointCause? WaitForTrigger()
    {
        while (true)
        {
            _inbox.Signal.Reset();
            ThrowIfBroken();
            if (_control.Failover.IsPending || _control.Cancelled.WaitOne(0) || _machine.Ended.IsCompleted)
                return null;
            TimeSpan delay = TimeSpan.FromMilliseconds(_settings.CheckpointDelayMs);
            TimeSpan due = _clock.Left(delay);
            CheckpointCause? cause = _control.TakeCheckpointRequest() ?? (due <= TimeSpan.Zero ? CheckpointCause.Timer : null);
            if (cause is null && _control.OutputWaits)
            {
                TimeSpan left = _settings.OutputDelay - Stopwatch.GetElapsedTime(_epochBegan);
                due = left < due ? left : due;
                cause = left <= TimeSpan.Zero ? CheckpointCause.Network : null;
            }

            if (cause is not null)
            {
                _clock.OnBegin(delay);
                return cause;
            }

            TimeSpan beat = Beat();
            TimeSpan wait = due < beat ? due : beat;
            TimeSpan ahead = SendAhead(due);
            _inbox.Signal.Wait(ahead < wait ? ahead : wait);
        }
    }

    // Says that this side lives, now and then, and returns when the next time is. A peer that does not answer is lost.
    private TimeSpan Beat()
    {
        TimeSpan timeout = TimeSpan.FromMilliseconds(_settings.HeartbeatTimeoutMs);
        if (_inbox.Silence > timeout)
            throw new LinkException($"{_link.Description} has been silent for {timeout.TotalMilliseconds:0} ms") { IsTimeout = true };
        TimeSpan interval = timeout / 4;
        TimeSpan left = interval - Stopwatch.GetElapsedTime(_lastBeat);
        if (left > TimeSpan.Zero)
            return left;
        SendBeat();
        return interval;
    }

    // The secondary waits for the epoch while all RAM and disks are hashed here, inside the pause.
    private void OnProving()
    {
        if (Stopwatch.GetElapsedTime(_lastBeat).TotalMilliseconds > _settings.HeartbeatTimeoutMs / 4)
            SendBeat();
    }

    private void SendBeat()
    {
        Send(ColoMessage.Heartbeat);
        _beats++;
        _lastBeat = Stopwatch.GetTimestamp();
    }

    // Pages of the next epoch, while nothing else wants the link. Returns when there is more to do; an answer to a heartbeat wakes us too.
    private TimeSpan SendAhead(TimeSpan untilCut)
    {
        if (_ahead is null || _inbox.Heartbeats < _beats)
            return TimeSpan.MaxValue;
        TimeSpan next = _ahead.Step(untilCut, out bool hasSent);
        if (hasSent)
            SendBeat();
        return next;
    }

    // The secondary gets the guest as it ended, and why it did; without that its machine's end would look like a crash.
    private void SayGoodbye()
    {
        Transact(CheckpointCause.Shutdown);
        MachineEnd end = _machine.Ended.GetAwaiter().GetResult();
        ShutdownNotice notice = new((uint)end.Cause, Math.Min((uint)end.ExitStatus, ShutdownNotice.MaxExitStatus));
        if (!_knowsNotices)
            return;
        Span<byte> message = stackalloc byte[ShutdownNotice.SizeBytes];
        notice.Write(message);
        _sender.Append(message);
        _sender.Flush();
        _control.OnColoSent(ColoMessage.ShutdownNotice);
        Expect(ColoMessage.ShutdownReceived);
        _saidGoodbye = true;
    }

    private void Transact(CheckpointCause cause)
    {
        _control.Statistics.Begin(_epoch + 1);
        _control.OnPass((int)_epoch + 1);
        _sentBefore = _link.BytesSent;
        _bytesAhead = (long)_digest.ByteCount;
        Send(ColoMessage.CheckpointRequest);
        Expect(ColoMessage.CheckpointReply);
        _control.ForgetOutput();
        _capture.HashAllRam = _settings.VerifyCheckpoints;
        if (_settings.CopyAhead)
            _capture.CopyAhead();
        if (_saysCut && _hashes is { HadCandidates: true } && _commit + _apply < s_longestInTime)
            Send(ColoMessage.Cut);
        bool isStrict = _settings.StrictPause;
        TimeSpan pause = _machine.Cut(isStrict ? _strictPause : _pause, RunState.Colo);
        if (!isStrict)
            Exchange();
        _lastBeat = Stopwatch.GetTimestamp();
        long bytes = _link.BytesSent - _sentBefore + _bytesAhead;
        _control.OnEpoch(new EpochRecord(_epoch, _capture.Staging.Count, _encoder.Fates, bytes, pause, _commit, _apply)
        {
            Cause = cause,
            Ahead = _capture.AheadCount - _capture.StaleCount,
            Skew = -(_commit + _apply),
        });
        Pace();
        _ahead?.End();
        BeginEpoch();
    }

    private void BeginEpoch()
    {
        _epochBegan = Stopwatch.GetTimestamp();
        _capture.Begin();
        _digest.Reset();
        _ahead?.Begin();
        _beats = _inbox.Heartbeats; // all are answered by now, and the peer may have sent some of its own accord
    }

    // From the cut to the guest that runs on the other side.
    private void Exchange()
    {
        long cut = Stopwatch.GetTimestamp();
        _disks.Stage();
        _epoch++;
        AskForHashes();
        SendEpoch();
        TimeSpan limit = _settings.StepDeadlineFor(((ulong)_capture.Staging.Count << GuestPage.Shift) + (ulong)(_link.BytesSent - _sentBefore));
        Expect(ColoMessage.VmstateReceived, limit);
        _machine.Io.CommitOutput();
        _commit = Stopwatch.GetElapsedTime(cut);
        Expect(ColoMessage.VmstateLoaded, limit);
        _apply = Stopwatch.GetElapsedTime(cut) - _commit;
    }

    private void Pace()
    {
        if (!_pace.OnEpoch(_commit, _apply))
            return;
        _machine.Throttle.Percent = _pace.Percent;
        _control.ThrottlePercent = _pace.Percent;
        if (_pace.Message is { } message)
            _control.OnMessage(message);
    }

    private void AskForHashes()
    {
        if (_hashes is null)
            return;
        for (int asked = _hashes.Prepare(_capture); asked > 0; asked = _hashes.OnVerdicts(_inbox.Verdicts))
        {
            _inbox.ExpectVerdicts(asked);
            _hashes.Ask(_capture.Staging, _digest);
            _control.OnColoSent(ColoMessage.PageHashes);
            Expect(ColoMessage.PageVerdicts);
        }
    }

    private void SendEpoch()
    {
        Append(ColoMessage.VmstateSend);
        _disks.Send(_digest);
        _sender.Digest = _digest;
        int sent = _encoder.Send(_capture, _hashes);
        _sender.Digest = null;
        _sender.Append([(byte)ElementKind.Eof]);
        Append(ColoMessage.VmstateSize);
        _sender.Append(_state.Encode(_digest, _epoch, (ulong)sent));
        _sender.Flush();
        _encoder.RememberAhead(_capture);
    }

    private void Append(ColoMessage message)
    {
        ColoMessageCodec.Write(_word, message);
        _sender.Append(_word);
        _control.OnColoSent(message);
    }

    private void Send(ColoMessage message)
    {
        Append(message);
        _sender.Flush();
    }

    private void Expect(ColoMessage expected) => Expect(expected, _settings.StepDeadline);

    // Whatever comes from the peer in between shows that it lives and gives it its time again: of a large epoch over a slow link much is
    // still on its way when the last byte has been handed over.
    private void Expect(ColoMessage expected, TimeSpan limit)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            _inbox.Signal.Reset();
            if (_inbox.TryTake(out ColoMessage word))
            {
                if (word == expected)
                    return;
                throw new MigrationException($"{_link.Description} answered {word.Name()}, expected {expected.Name()}");
            }

            ThrowIfBroken();
            if (_control.Failover.IsPending || _control.Cancelled.WaitOne(0))
                throw new MigrationException("the session was ended");
            TimeSpan waited = Stopwatch.GetElapsedTime(start);
            TimeSpan left = limit - (_inbox.Silence < waited ? _inbox.Silence : waited);
            if (left <= TimeSpan.Zero || waited > MigrationConstants.LongestStep)
                throw new MigrationException($"{_link.Description} did not send {expected.Name()} in time");
            _inbox.Signal.Wait(left);
        }
    }

    private void ThrowIfBroken()
    {
        if (_inbox.PeerEnd is { } end)
        {
            _control.Failover.MarkClosed();
            throw new MigrationException($"the secondary was ended ({((ShutdownCause)end.Cause).ToString()})");
        }

        if (_inbox.Failure is { } failure)
            throw failure;
    }

    // From the first sign of trouble the guest runs on unprotected; what that means is the operator's decision.
    private void Leave()
    {
        _control.Statistics.End();
        _link.Shutdown();
        _machine.Throttle.Percent = 0;
        _control.ThrottlePercent = 0;
        _machine.DirtyLog.Stop();
        _disks.End();
        _machine.EndRecording();
        if (_saidGoodbye)
            ColoExit.End(_control);
        else
            ColoExit.Complete(_control, static () => { });
    }
}
