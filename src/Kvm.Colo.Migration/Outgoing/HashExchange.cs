using Kvm.Colo.Memory;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Outgoing;

/// <summary>
/// Asks the secondary, by hash, which of an epoch's expensive pages its own guest has written just so. Both guests do the same work, so
/// under lock-step load most have. Where hardly any had in the last epoch, a few are asked about first, and the others only if those
/// say that it is worth it. Migration thread.
/// </summary>
internal sealed class HashExchange(RamSender sender, RamBlockTable blocks, long seed)
{
    private const int SampleSize = 32;
    private const double WorthAsking = 0.05;

    private readonly byte[] _entry = new byte[PageHashQuery.MaxHeadBytes + PageHashQuery.EntryBytes];
    private int[] _candidates = [];
    private bool[] _peerHas = [];
    private int _known;
    private int _count;
    private int _stride;
    private Round _round;

    private enum Round
    {
        All,
        Sample,
        Others,
    }

    /// <summary>Whether most expensive pages of the next epoch are likely to be asked about.</summary>
    public bool IsAsking { get; private set; } = true;

    /// <summary>Whether the last epoch had pages to ask about, so that the next is likely to have some.</summary>
    public bool HadCandidates => _count > 0;

    /// <summary>Whether the peer proved to hold the content of a staged record; valid after the last <see cref="OnVerdicts"/>.</summary>
    public bool PeerHas(int record) => record < _known && _peerHas[record];

    /// <summary>Decides which pages of an epoch to ask about first and returns how many, 0 for none.</summary>
    public int Prepare(EpochCapture captured)
    {
        PageStaging staged = captured.Staging;
        if (_candidates.Length < staged.Count)
        {
            _candidates = new int[Math.Max(staged.Count, 2 * _candidates.Length)];
            _peerHas = new bool[_candidates.Length];
        }

        _known = staged.Count;
        _peerHas.AsSpan(0, _known).Clear();
        _count = 0;
        for (int i = 0; i < staged.Count && _count < PageHashQuery.MaxCount; i++)
        {
            if (!captured.IsSettled(i) && !StagedPage.IsDelta(staged.Record(i)))
                _candidates[_count++] = i;
        }

        _stride = (_count + SampleSize - 1) / SampleSize;
        _round = IsAsking || _stride <= 1 ? Round.All : Round.Sample;
        return Asked;
    }

    /// <summary>Sends the question that was prepared; its bytes count for the epoch's digest, because they decide what the epoch holds.</summary>
    public void Ask(PageStaging staged, StreamDigest digest)
    {
        int head = new PageHashQuery(0, Asked).WriteHead(_entry, blocks);
        Append(head, digest);
        for (int i = 0; i < _count; i++)
        {
            if (!IsAskedNow(i))
                continue;
            PageRecord record = staged.Record(_candidates[i]);
            PageHashQuery.WriteEntry(
                _entry, record.Page << GuestPage.Shift, PageHash.Compute(record.Payload, seed));
            Append(PageHashQuery.EntryBytes, digest);
        }

        sender.Flush();
    }

    /// <summary>Takes the answer in.</summary>
    /// <returns>About how many pages to ask now, 0 when that was all.</returns>
    public int OnVerdicts(ReadOnlySpan<byte> verdicts)
    {
        int question = 0;
        int equal = 0;
        for (int i = 0; i < _count; i++)
        {
            if (!IsAskedNow(i) || PageHashAnswer.Differs(verdicts, question++))
                continue;
            _peerHas[_candidates[i]] = true;
            equal++;
        }

        IsAsking = equal >= question * WorthAsking;
        if (_round != Round.Sample || !IsAsking)
            return 0;
        _round = Round.Others;
        return Asked;
    }

    private int Asked => _round switch
    {
        Round.All => _count,
        Round.Sample => SampleCount,
        _ => _count - SampleCount,
    };

    private int SampleCount => (_count + _stride - 1) / _stride;

    private bool IsAskedNow(int candidate) => _round == Round.All || (candidate % _stride == 0) == (_round == Round.Sample);

    private void Append(int bytes, StreamDigest digest)
    {
        sender.Append(_entry.AsSpan(0, bytes));
        digest.Append(_entry.AsSpan(0, bytes));
    }
}
