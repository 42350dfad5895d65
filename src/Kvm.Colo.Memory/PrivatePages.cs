using System.Numerics;

namespace Kvm.Colo.Memory;

/// <summary>
/// Which pages a replica's guest holds privately, and how they come to equal the committed image again at the end of an epoch. Copying
/// over a private page costs a tenth of dropping it and taking the guest's next write as a copy-on-write fault, so a page that is written
/// in epoch after epoch stays private; the others are dropped in runs. Used with the guest stopped, by one thread.
/// </summary>
internal sealed class PrivatePages(GuestMemory memory, bool keepsHot = true) : IDisposable
{
    private readonly PageBitmap _kept = new(memory.PageCount);
    private readonly PageBitmap _stale = new(memory.PageCount);
    private PageBitmap _writtenBefore = new(memory.PageCount);

    /// <summary>The pages the guest, or a device for it, wrote in this epoch; to be filled before <see cref="Reconcile"/>, which empties it.</summary>
    public PageBitmap Written { get; private set; } = new(memory.PageCount);

    /// <summary>
    /// Makes the guest's view equal to the committed image everywhere. <paramref name="changed"/> names the pages the epoch changed there.
    /// They count even if the guest did not write them: a write fault that the stop interrupted may have made a private copy without a
    /// word in the dirty log, and that copy equals the committed page only until an epoch changes it.
    /// </summary>
    /// <exception cref="Native.NativeException">The kernel refused; the guest's view may be a mix.</exception>
    public void Reconcile(PageBitmap changed)
    {
        _stale.Add(Written);
        _stale.Add(changed);
        _stale.Add(_kept);
        for (int word = _stale.NextWord(0); word < _stale.WordCount; word = _stale.NextWord(word + 1))
        {
            ulong hot = keepsHot ? Written.Word(word) & _writtenBefore.Word(word) : 0;
            _stale.SetWord(word, _stale.Word(word) & ~hot);
            _kept.SetWord(word, hot);
            while (hot != 0)
            {
                ulong page = FirstPage(word, hot);
                hot &= hot - 1;
                memory.RestorePrivatePage(page, hot == 0 ? null : FirstPage(word, hot));
            }
        }

        Drop(_stale);
        (Written, _writtenBefore) = (_writtenBefore, Written);
        Written.ClearAll();
    }

    /// <summary>
    /// Takes back what was written since <see cref="Reconcile"/> (<see cref="Written"/>, which it empties) although the guest did not run:
    /// KVM itself writes guest memory when a vCPU is loaded.
    /// </summary>
    public void TakeBack() => Drop(Written); // one that was kept is dropped once more at the end of the next epoch

    public void Dispose()
    {
        _kept.Dispose();
        _stale.Dispose();
        _writtenBefore.Dispose();
        Written.Dispose();
    }

    private static ulong FirstPage(int word, ulong bits) => ((ulong)word << 6) + (ulong)BitOperations.TrailingZeroCount(bits);

    private void Drop(PageBitmap pages)
    {
        for (ulong first = pages.NextSet(0); first < pages.PageCount;)
        {
            ulong end = pages.NextClear(first);
            memory.DropPrivatePages(first, end - first);
            first = pages.NextSet(end);
        }

        pages.ClearAll();
    }
}
