using Kvm.Colo.Memory;
using Kvm.Colo.Native;
using static Kvm.Colo.Native.KvmConstants;

namespace Kvm.Colo.Kvm;

/// <summary>
/// KVM's dirty rings: the cost of a harvest follows the dirty pages and not the RAM. Entries are read with acquire order and given back
/// with release order (KVM_CAP_DIRTY_LOG_RING_ACQ_REL). A full ring ends its vCPU's run; that thread empties it into the backlog.
/// </summary>
internal sealed unsafe class KvmDirtyRingLog : IDirtyLog, IDisposable
{
    public const uint DefaultBytesPerVcpu = 1u << 20;

    private readonly Lock _lock = new();
    private readonly KvmVm _vm;
    private readonly GuestMemory _memory;
    private readonly NativeMapping[] _rings;
    private readonly uint[] _next;
    private readonly uint _entries;
    private readonly PageBitmap _backlog;

    /// <summary>The ring was enabled on <paramref name="vm"/> before <paramref name="vcpus"/> were created.</summary>
    public KvmDirtyRingLog(KvmVm vm, GuestMemory memory, IReadOnlyList<KvmVcpu> vcpus)
    {
        _vm = vm;
        _memory = memory;
        _entries = vm.DirtyRingBytes / (uint)sizeof(kvm_dirty_gfn);
        _rings = [.. vcpus.Select(vcpu => vcpu.MapDirtyRing())];
        _next = new uint[_rings.Length];
        _backlog = new PageBitmap(memory.PageCount);
    }

    public string Kind => "ring";

    public bool IsLogging { get; private set; }

    public void Start() => SetLogging(true);

    public void Stop() => SetLogging(false);

    public void Harvest(PageBitmap into)
    {
        lock (_lock)
        {
            CollectAll();
            into.TakeFrom(_backlog);
        }
    }

    public void OnRingFull(int vcpuIndex)
    {
        lock (_lock)
            CollectAll();
    }

    public void Dispose()
    {
        foreach (NativeMapping ring in _rings)
            ring.Dispose();
        _backlog.Dispose();
    }

    private void CollectAll()
    {
        bool any = false;
        for (int i = 0; i < _rings.Length; i++)
            any |= Collect(i);
        if (any)
            _vm.ResetDirtyRings();
    }

    private bool Collect(int ring)
    {
        // SAFETY: the mapping holds _entries entries and the index is reduced modulo their number.
        kvm_dirty_gfn* entries = (kvm_dirty_gfn*)_rings[ring].Address;
        uint first = _next[ring];
        uint next = first;
        for (; next - first < _entries; next++)
        {
            kvm_dirty_gfn* entry = entries + (next % _entries);
            if ((Volatile.Read(ref entry->flags) & KVM_DIRTY_GFN_F_DIRTY) == 0)
                break;
            uint slotIndex = entry->slot & 0xFFFF; // the upper half is the address space
            ulong offset = entry->offset;
            if (slotIndex < (uint)_memory.Slots.Count && offset < _memory.Slots[(int)slotIndex].PageCount)
                _backlog.Set(_memory.Slots[(int)slotIndex].FirstPage + offset);
            Volatile.Write(ref entry->flags, KVM_DIRTY_GFN_F_RESET);
        }

        _next[ring] = next;
        return next != first;
    }

    private void SetLogging(bool on)
    {
        if (IsLogging == on)
            return;
        foreach (MemorySlot slot in _memory.Slots)
            _vm.SetMemorySlot(slot, on);
        lock (_lock)
        {
            CollectAll();
            _backlog.ClearAll();
        }

        IsLogging = on;
    }
}
