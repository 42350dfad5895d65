using Kvm.Colo.Memory;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Outgoing;

/// <summary>
/// Sends pages of the next epoch while the guest runs and the link is idle, a slice at a time: the next slice only when the peer has
/// taken the last, so that neither a checkpoint nor a heartbeat waits behind more than one. A harvest costs the guest a write fault for
/// every page it writes again, so this rests after epochs in which that brought little. Migration thread.
/// </summary>
internal sealed class AheadSender(
    EpochCapture capture, EpochEncoder encoder, HashExchange? hashes, RamSender sender, StreamDigest digest, MigrationSettings settings, TimeProvider time)
{
    // Harvests in one interval between checkpoints, and the shortest time between two of them.
    private const int Rounds = 8;
    private const int MinPeriodMs = 2;
    private const int MaxRestEpochs = 256;
    private const int MinSliceBytes = 64 * 1024;
    private const int MaxSliceBytes = 1024 * 1024;
    private const int MaxSliceRecords = 512;

    private static readonly TimeSpan s_fastSlice = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan s_slowSlice = TimeSpan.FromMilliseconds(8);

    private readonly long _maxRecords = Math.Min(RamSectionEncoder.MaxAheadRecords, (long)capture.Staging.MaxPages);
    private int _sliceBytes = 256 * 1024;
    private int _lastPages;
    private int _rest;
    private int _nextRest = 4;
    private bool _isActive;
    private long _harvested;
    private long _sliceSent;
    private ulong _from;
    private bool _isDrained = true;

    /// <summary>Begins the time between two cuts.</summary>
    public void Begin()
    {
        if (_rest > 0)
            _rest--;
        _isActive = _rest == 0 && _lastPages >= settings.PreSendMinPages;
        _harvested = time.GetTimestamp();
        _sliceSent = 0;
        _isDrained = true;
    }

    /// <summary>Judges an epoch that is committed: whether what went ahead was worth its faults.</summary>
    public void End()
    {
        _lastPages = capture.Staging.Count;
        if (!_isActive)
            return;
        if (settings.PreSendMinPages == 0)
            return;
        int useful = capture.AheadCount - capture.StaleCount;
        if (useful >= settings.PreSendMinPages / 2 && (ulong)useful > capture.AheadFaults + (ulong)capture.StaleCount)
        {
            _nextRest = 4;
            return;
        }

        Rest();
    }

    /// <summary>Harvests or sends a slice, if it is time to.</summary>
    /// <param name="untilCut">When a checkpoint is due.</param>
    /// <param name="hasSent">Whether a slice was put on its way, not flushed yet: a heartbeat is to follow, and the next call to wait for its answer.</param>
    /// <returns>When to call again.</returns>
    public TimeSpan Step(TimeSpan untilCut, out bool hasSent)
    {
        hasSent = false;
        if (!_isActive)
            return TimeSpan.MaxValue;
        if (_sliceSent != 0)
            AdjustSlice();
        if (_isDrained)
        {
            TimeSpan period = settings.PreSendPeriod ?? TimeSpan.FromMilliseconds(Math.Max(settings.CheckpointDelayMs / Rounds, MinPeriodMs));
            TimeSpan left = period - time.GetElapsedTime(_harvested);
            if (left > TimeSpan.Zero)
                return left;
            if (untilCut < period / 2)
                return TimeSpan.MaxValue;
            ulong found = capture.HarvestAhead();
            if (settings.PreSendMinPages > 0 && capture.AheadFaults > found + (ulong)capture.AheadCount)
            {
                Rest();
                return TimeSpan.MaxValue;
            }

            _harvested = time.GetTimestamp();
            _from = 0;
            _isDrained = false;
        }

        hasSent = SendSlice();
        return TimeSpan.Zero;
    }

    // The rest of this epoch and some more, twice as many each time.
    private void Rest()
    {
        _isActive = false;
        _rest = _nextRest;
        _nextRest = Math.Min(2 * _nextRest, MaxRestEpochs);
    }

    private bool SendSlice()
    {
        bool wholeToo = hashes is not { IsAsking: true };
        ulong before = digest.ByteCount;
        sender.Digest = digest;
        for (int i = 0; i < MaxSliceRecords && digest.ByteCount - before < (ulong)_sliceBytes; i++)
        {
            if (capture.AheadCount >= _maxRecords || !capture.TryCaptureAhead(ref _from, out PageRecord record))
            {
                _isDrained = true;
                break;
            }

            AheadState sentAs = encoder.SendAhead(record, wholeToo);
            if (sentAs == AheadState.None)
                capture.Decline();
            else
                capture.Keep(sentAs);
        }

        bool any = encoder.EndPart();
        sender.Digest = null;
        _sliceSent = any ? time.GetTimestamp() : 0;
        return any;
    }

    // The peer has answered behind the last slice. On a slow link slices become short, so that a cut need not wait for long.
    private void AdjustSlice()
    {
        TimeSpan took = time.GetElapsedTime(_sliceSent);
        _sliceSent = 0;
        if (took > s_slowSlice)
            _sliceBytes = Math.Max(_sliceBytes / 2, MinSliceBytes);
        else if (took < s_fastSlice)
            _sliceBytes = Math.Min(2 * _sliceBytes, MaxSliceBytes);
    }
}
