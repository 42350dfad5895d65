using Kvm.Colo.Memory;

namespace Kvm.Colo.Kvm;

/// <summary>KVM's dirty bitmap with manual protect: exact under every KVM, at a cost that grows slowly with RAM.</summary>
internal sealed unsafe class KvmDirtyBitmapLog : IDirtyLog, IDisposable
{
    private readonly KvmVm _vm;
    private readonly GuestMemory _memory;
    private readonly NativeMapping _scratch;

    public KvmDirtyBitmapLog(KvmVm vm, GuestMemory memory)
    {
        _vm = vm;
        _memory = memory;
        _scratch = NativeMapping.Anonymous((memory.PageCount + 63) / 64 * sizeof(ulong));
        vm.EnableManualDirtyProtect();
    }

    public string Kind => "bitmap";

    public bool IsLogging { get; private set; }

    public void Start() => SetLogging(true);

    public void Stop() => SetLogging(false);

    public void Harvest(PageBitmap into)
    {
        if (!IsLogging)
            return;
        for (int index = 0; index < _memory.Slots.Count; index++)
        {
            MemorySlot slot = _memory.Slots[index];
            // SAFETY: the scratch words cover all RAM and every slot but the last is a multiple of 64 pages long.
            ulong* words = (ulong*)_scratch.Address + (slot.FirstPage >> 6);
            int count = (int)((slot.PageCount + 63) / 64);
            _vm.GetDirtyLog(slot, words);
            Span<ulong> found = new(words, count);
            int first = BitWords.NextNonZero(found, 0);
            if (first == count)
                continue;

            // Only the part that holds bits is cleared: KVM walks all of what it is given, with its lock held.
            int end = BitWords.EndOfNonZero(found);
            ulong firstPage = (ulong)first << 6;
            _vm.ClearDirtyLog(slot, firstPage, Math.Min(slot.PageCount, (ulong)end << 6) - firstPage, words + first);
            into.AddWords((int)(slot.FirstPage >> 6) + first, found[first..end]);
        }
    }

    public void OnRingFull(int vcpuIndex)
    {
        // The bitmap has no ring to fill.
    }

    public void Dispose() => _scratch.Dispose();

    private void SetLogging(bool on)
    {
        if (IsLogging == on)
            return;
        foreach (MemorySlot slot in _memory.Slots)
            _vm.SetMemorySlot(slot, on);
        IsLogging = on;
    }
}
