using System.Diagnostics;
using Kvm.Colo.Machine;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Migration.Outgoing;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Colo;

/// <summary>
/// The primary's side of a COLO session, from the moment the peer has everything to the failover. Runs on the migration thread. The
/// guest is stopped for a capture only; nothing in that pause waits for the peer.
/// </summary>
internal sealed class ColoPrimary(
    VirtualMachine machine,
    MigrationSettings settings,
    MigrationControl control,
    ILink link,
    ReturnInbox inbox,
    EpochCapture capture,
    RamSender sender,
    ChannelBuffer blob,
    DeviceSectionWriter devices,
    SessionSeed seed)
{
    private readonly StreamDigest _digest = new(seed.DigestSeed);
    private readonly byte[] _word = new byte[ColoMessageCodec.SizeBytes + VmstateSize.SizeBytes];
    private ulong _epoch;
    private long _lastTrigger;
    private long _lastBeat;

    /// <summary>Checkpoints until a failover is asked for, whatever breaks before that.</summary>
    public void Run()
    {
        settings.CheckpointDelayChanged += control.RequestCheckpoint;
        sender.Digest = _digest;
        try
        {
            Expect(ColoMessage.CheckpointReady);
            _lastTrigger = Stopwatch.GetTimestamp();
            while (WaitForTrigger())
                Transact();
        }
        catch (Exception e) when (e is LinkException or MigrationException or TimeoutException)
        {
            control.Failover.MarkBroken();
            if (!control.Failover.IsPending && !control.Cancelled.WaitOne(0))
                control.OnMessage($"protection is lost: {e.Message}");
        }
        finally
        {
            settings.CheckpointDelayChanged -= control.RequestCheckpoint;
        }

        Leave();
    }

    // True for a checkpoint, false when the session is to end.
    private bool WaitForTrigger()
    {
        while (true)
        {
            inbox.Signal.Reset();
            ThrowIfBroken();
            if (control.Failover.IsPending || control.Cancelled.WaitOne(0))
                return false;
            TimeSpan due = TimeSpan.FromMilliseconds(settings.CheckpointDelayMs) - Stopwatch.GetElapsedTime(_lastTrigger);
            if (control.TakeCheckpointRequest() || due <= TimeSpan.Zero)
            {
                _lastTrigger = Stopwatch.GetTimestamp();
                return true;
            }

            TimeSpan beat = Beat();
            inbox.Signal.Wait(due < beat ? due : beat);
        }
    }

    // Says that this side lives, now and then, and returns when the next time is.
    private TimeSpan Beat()
    {
        TimeSpan interval = TimeSpan.FromMilliseconds(Math.Max(1, settings.HeartbeatTimeoutMs / 4));
        TimeSpan left = interval - Stopwatch.GetElapsedTime(_lastBeat);
        if (left > TimeSpan.Zero)
            return left;
        Send(ColoMessage.Heartbeat);
        _lastBeat = Stopwatch.GetTimestamp();
        return interval;
    }

    private void Transact()
    {
        control.OnPass((int)_epoch + 1);
        Send(ColoMessage.CheckpointRequest);
        Expect(ColoMessage.CheckpointReply);
        long before = link.BytesSent;
        capture.HashAllRam = settings.VerifyCheckpoints;
        TimeSpan pause = machine.Cut(capture, RunState.Colo);
        long cut = Stopwatch.GetTimestamp();
        _epoch++;
        SendEpoch();
        Expect(ColoMessage.VmstateReceived);
        TimeSpan commit = Stopwatch.GetElapsedTime(cut);
        Expect(ColoMessage.VmstateLoaded);
        TimeSpan apply = Stopwatch.GetElapsedTime(cut) - commit;
        _lastBeat = Stopwatch.GetTimestamp();
        control.Statistics.RecordEpoch(_epoch, capture.Staging.Count, link.BytesSent - before, pause, commit, apply);
    }

    private void SendEpoch()
    {
        _digest.Reset();
        Append(ColoMessage.VmstateSend, ColoMessageCodec.SizeBytes);
        sender.SendStaged(capture.Staging, ElementKind.SectionEnd);
        blob.Reset();
        devices.WriteEpoch(_digest, _epoch, (ulong)capture.Staging.Count);
        sender.Append([(byte)ElementKind.Eof]);
        VmstateSize.Write(_word.AsSpan(ColoMessageCodec.SizeBytes), blob.Length);
        Append(ColoMessage.VmstateSize, ColoMessageCodec.SizeBytes + VmstateSize.SizeBytes);
        sender.Append(blob.WrittenSpan);
        sender.Flush();
    }

    private void Append(ColoMessage message, int bytes)
    {
        ColoMessageCodec.Write(_word, message);
        sender.Append(_word.AsSpan(0, bytes));
        control.OnColoSent(message);
    }

    private void Send(ColoMessage message)
    {
        Append(message, ColoMessageCodec.SizeBytes);
        sender.Flush();
    }

    private void Expect(ColoMessage expected)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            inbox.Signal.Reset();
            if (inbox.TryTake(out ColoMessage word))
            {
                if (word == expected)
                    return;
                throw new MigrationException($"{link.Description} answered {word.Name()}, expected {expected.Name()}");
            }

            ThrowIfBroken();
            if (control.Failover.IsPending || control.Cancelled.WaitOne(0))
                throw new MigrationException("the session was ended");
            TimeSpan left = MigrationConstants.StepDeadline - Stopwatch.GetElapsedTime(start);
            if (left <= TimeSpan.Zero)
                throw new MigrationException($"{link.Description} did not send {expected.Name()} in time");
            inbox.Signal.Wait(left);
        }
    }

    private void ThrowIfBroken()
    {
        if (inbox.Failure is { } failure)
            throw failure;
    }

    // From the first sign of trouble the guest runs on unprotected; who decides what that means is the operator.
    private void Leave()
    {
        link.Shutdown();
        machine.DirtyLog.Stop();
        machine.EndRecording();
        ColoExit.Complete(control, static () => { });
    }
}
