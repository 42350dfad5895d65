using Kvm.Colo.Memory;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Outgoing;

/// <summary>
/// Asks the secondary, by hash, which of an epoch's expensive pages its own guest has written just so. Both guests do the same work, so
/// under lock-step load most have; where they do not, it stops asking for a while. Migration thread.
/// </summary>
internal sealed class HashExchange(RamSender sender, RamBlockTable blocks, long seed)
{
    private const int RestEpochs = 64;
    private const double WorthAsking = 0.05;

    private readonly byte[] _entry = new byte[PageHashQuery.MaxHeadBytes + PageHashQuery.EntryBytes];
    private readonly byte[] _verdicts = new byte[PageHashQuery.MaxCount / 8];
    private int[] _questionOfRecord = [];
    private int _asked;
    private int _rest;

    /// <summary>Whether the next epoch's expensive pages will be asked about.</summary>
    public bool IsAsking => _rest == 0;

    /// <summary>Whether the peer proved to hold the content of a staged record; valid after <see cref="OnVerdicts"/>.</summary>
    public bool PeerHas(int record) =>
        _asked > 0 && record < _questionOfRecord.Length && _questionOfRecord[record] is >= 0 and int question
        && !PageHashAnswer.Differs(_verdicts, question);

    /// <summary>Decides which pages of an epoch to ask about and returns how many, 0 when it is not worth asking.</summary>
    public int Prepare(EpochCapture captured)
    {
        PageStaging staged = captured.Staging;
        _asked = 0;
        if (_rest > 0)
        {
            _rest--;
            return 0;
        }

        if (_questionOfRecord.Length < staged.Count)
            _questionOfRecord = new int[Math.Max(staged.Count, 2 * _questionOfRecord.Length)];
        for (int i = 0; i < staged.Count; i++)
        {
            bool ask = _asked < PageHashQuery.MaxCount && !captured.IsSettled(i) && !StagedPage.IsDelta(staged.Record(i));
            _questionOfRecord[i] = ask ? _asked++ : -1;
        }

        return _asked;
    }

    /// <summary>Takes the answer in.</summary>
    public void OnVerdicts(ReadOnlySpan<byte> verdicts)
    {
        verdicts.CopyTo(_verdicts);
        int equal = 0;
        for (int question = 0; question < _asked; question++)
            equal += PageHashAnswer.Differs(_verdicts, question) ? 0 : 1;
        if (equal < _asked * WorthAsking)
            _rest = RestEpochs;
    }

    /// <summary>Sends the question that was prepared; its bytes count for the epoch's digest, because they decide what the epoch holds.</summary>
    public void Ask(PageStaging staged, StreamDigest digest)
    {
        int head = new PageHashQuery(0, _asked).WriteHead(_entry, blocks);
        Append(head, digest);
        for (int i = 0; i < staged.Count; i++)
        {
            if (_questionOfRecord[i] < 0)
                continue;
            ReadOnlySpan<byte> record = staged.Record(i);
            PageHashQuery.WriteEntry(
                _entry, StagedPage.PageOf(record) << GuestPage.Shift, PageHash.Compute(StagedPage.Content(record), seed));
            Append(PageHashQuery.EntryBytes, digest);
        }

        sender.Flush();
    }

    private void Append(int bytes, StreamDigest digest)
    {
        sender.Append(_entry.AsSpan(0, bytes));
        digest.Append(_entry.AsSpan(0, bytes));
    }
}
