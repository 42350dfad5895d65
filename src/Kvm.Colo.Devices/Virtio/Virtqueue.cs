using System.Numerics;
using Kvm.Colo.Memory;

namespace Kvm.Colo.Devices.Virtio;

/// <summary>
/// One split virtqueue (virtio 1.2, section 2.7) as the device sees it: indirect tables, event indexes, every index and address
/// from the guest checked once and read once. Owned by its device, used under the device's lock.
/// </summary>
internal sealed partial class Virtqueue(GuestMemory memory, ushort maxSize)
{
    private const ushort AvailableNoInterrupt = 1;
    private const ulong IndexOffset = 2;
    private const ulong RingOffset = 4;

    private ushort _availableIndex;
    private ushort _nextAvailable;
    private ushort _nextUsed;
    private ushort _publishedUsed;
    private bool _indirect;
    private bool _eventIndex;

    public ushort MaxSize { get; } = maxSize;

    /// <summary>Entries the driver chose: a power of two up to <see cref="MaxSize"/>.</summary>
    public ushort Size { get; private set; } = maxSize;

    /// <summary>Whether the driver has handed the queue over.</summary>
    public bool IsReady { get; private set; }

    /// <summary>Whether the queue may be used: handed over, checked, and not broken since.</summary>
    public bool IsRunning { get; private set; }

    public ulong DescriptorTable { get; set; }

    public ulong AvailableRing { get; set; }

    public ulong UsedRing { get; set; }

    private ulong UsedEventAddress => AvailableRing + RingOffset + 2ul * Size;

    private ulong AvailableEventAddress => UsedRing + RingOffset + 8ul * Size;

    public bool TrySetSize(uint size)
    {
        if (size == 0 || size > MaxSize || !BitOperations.IsPow2(size))
            return false;
        Size = (ushort)size;
        return true;
    }

    public void SetReady(bool ready) => IsReady = ready;

    public void Reset()
    {
        Size = MaxSize;
        IsReady = false;
        IsRunning = false;
        DescriptorTable = 0;
        AvailableRing = 0;
        UsedRing = 0;
        SetIndexes(0, 0);
    }

    /// <summary>
    /// Checks the three areas: aligned, each inside one range of RAM, no sum that wraps. False: the driver set it up wrong.
    /// </summary>
    public bool TryStart(ulong features)
    {
        _indirect = (features & VirtioFeature.RingIndirect) != 0;
        _eventIndex = (features & VirtioFeature.RingEventIndex) != 0;
        IsRunning = IsArea(DescriptorTable, 16, (ulong)VirtqDescriptor.SizeBytes * Size)
            && IsArea(AvailableRing, 2, RingOffset + 2ul + 2ul * Size)
            && IsArea(UsedRing, 4, RingOffset + 2ul + (ulong)VirtqUsedElement.SizeBytes * Size);
        return IsRunning;
    }

    public void Stop() => IsRunning = false;

    /// <summary>Takes the next chain.</summary>
    public VirtqueuePop TryPop(VirtqueueChain chain)
    {
        if (!IsRunning)
            return VirtqueuePop.Empty;
        if (_nextAvailable == _availableIndex)
        {
            if (!ReadAvailableIndex())
                return VirtqueuePop.Broken;
            if (_nextAvailable == _availableIndex)
                return VirtqueuePop.Empty;
        }

        ulong entry = AvailableRing + RingOffset + 2ul * (ushort)(_nextAvailable & (Size - 1));
        if (!memory.TryRead(new GuestPhysicalAddress(entry), out ushort head) || head >= Size)
            return Break();
        _nextAvailable++;
        if (TryWalk(head, chain))
            return VirtqueuePop.Chain;
        chain.Begin(head);
        return VirtqueuePop.Malformed;
    }

    /// <summary>
    /// Gives the last <paramref name="count"/> chains taken back to the queue, untouched; they come again in the same order.
    /// </summary>
    public void Unpop(int count) => _nextAvailable -= (ushort)count;

    /// <summary>Writes a used element; the driver sees it after <see cref="Publish"/>.</summary>
    public void Push(ushort head, uint writtenBytes)
    {
        var element = new VirtqUsedElement { Id = head, Length = writtenBytes };
        ulong entry = UsedRing + RingOffset + (ulong)VirtqUsedElement.SizeBytes * (ushort)(_nextUsed & (Size - 1));
        memory.TryWrite(new GuestPhysicalAddress(entry), element);
        _nextUsed++;
    }

    /// <summary>Shows the driver everything pushed; true when it wants an interrupt for it (section 2.7.7.2).</summary>
    public bool Publish()
    {
        if (!IsRunning || _nextUsed == _publishedUsed)
            return false;
        ushort before = _publishedUsed;
        _publishedUsed = _nextUsed;
        memory.TryWriteRelease(new GuestPhysicalAddress(UsedRing + IndexOffset), _nextUsed);

        // The index must be visible before the driver's wish is read, or both sides wait for each other.
        Interlocked.MemoryBarrier();
        if (!_eventIndex)
            return memory.TryReadAcquire(new GuestPhysicalAddress(AvailableRing), out ushort flags)
                && (flags & AvailableNoInterrupt) == 0;
        return memory.TryReadAcquire(new GuestPhysicalAddress(UsedEventAddress), out ushort wanted)
            && (ushort)(_nextUsed - wanted - 1) < (ushort)(_nextUsed - before);
    }

    /// <summary>
    /// Asks for a notification of the next chain; true when one came meanwhile and must be taken now (section 2.7.10).
    /// </summary>
    public bool TryRearm()
    {
        if (!IsRunning)
            return false;
        if (_eventIndex)
        {
            memory.TryWriteRelease(new GuestPhysicalAddress(AvailableEventAddress), _nextAvailable);

            // The wish must be visible before the index is read again, or a chain added now is announced by nobody.
            Interlocked.MemoryBarrier();
        }

        return !ReadAvailableIndex() || _availableIndex != _nextAvailable;
    }

    private bool ReadAvailableIndex()
    {
        if (!memory.TryReadAcquire(new GuestPhysicalAddress(AvailableRing + IndexOffset), out ushort index)
            || (ushort)(index - _nextAvailable) > Size)
        {
            Break();
            return false;
        }

        _availableIndex = index;
        return true;
    }

    private VirtqueuePop Break()
    {
        IsRunning = false;
        return VirtqueuePop.Broken;
    }

    private void SetIndexes(ushort nextAvailable, ushort nextUsed)
    {
        _nextAvailable = nextAvailable;
        _availableIndex = nextAvailable;
        _nextUsed = nextUsed;
        _publishedUsed = nextUsed;
    }

    private bool IsArea(ulong address, ulong alignment, ulong lengthBytes) =>
        address % alignment == 0 && memory.Contains(new GuestPhysicalAddress(address), lengthBytes);
}
