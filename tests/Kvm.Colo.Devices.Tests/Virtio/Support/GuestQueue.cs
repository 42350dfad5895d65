using Kvm.Colo.Devices.Virtio;
using Kvm.Colo.Memory;

namespace Kvm.Colo.Devices.Tests.Virtio.Support;

/// <summary>
/// The driver's side of one split virtqueue, in guest memory, written to the letter of virtio 1.2 section 2.7 and able to break
/// it.
/// </summary>
internal sealed class GuestQueue(GuestMemory memory, ushort size, ulong baseAddress)
{
    private readonly List<(int Head, uint Length)> _completions = new(size);
    private ushort _availableIndex;
    private ushort _nextUsed;
    private ushort _nextDescriptor;

    public ushort Size { get; } = size;

    public ulong Descriptors { get; } = baseAddress;

    public ulong Available { get; } = baseAddress + 16ul * size;

    public ulong Used { get; } = (baseAddress + 16ul * size + 6 + 2ul * size + 3) & ~3ul;

    public ushort UsedIndex => Read16(Used + 2);

    public bool HasUsed => _nextUsed != UsedIndex;

    public ushort AvailableEvent => Read16(Used + 4 + 8ul * Size);

    public void SetUsedEvent(ushort value) => Write(Available + 4 + 2ul * Size, value);

    public void SetAvailableFlags(ushort value) => Write(Available, value);

    public void WriteDescriptor(ulong table, int index, ulong address, uint length, ushort flags, ushort next) =>
        Write(table + 16ul * (uint)index, new VirtqDescriptor { Address = address, Length = length, Flags = flags, Next = next });

    /// <summary>Writes a chain of buffers into the next free descriptors, offers it and returns its head.</summary>
    public int Add(params ReadOnlySpan<GuestBuffer> buffers)
    {
        int head = _nextDescriptor % Size;
        for (int i = 0; i < buffers.Length; i++)
        {
            int index = _nextDescriptor++ % Size;
            ushort flags = (ushort)((i + 1 < buffers.Length ? VirtqDescriptor.FlagNext : 0)
                | (buffers[i].IsWritable ? VirtqDescriptor.FlagWrite : 0));
            WriteDescriptor(Descriptors, index, buffers[i].Address, buffers[i].Length, flags, (ushort)(_nextDescriptor % Size));
        }

        Offer((ushort)head);
        return head;
    }

    /// <summary>Writes a chain into an indirect table at <paramref name="table"/>, offers it and returns its head.</summary>
    public int AddIndirect(ulong table, params ReadOnlySpan<GuestBuffer> buffers)
    {
        for (int i = 0; i < buffers.Length; i++)
        {
            ushort flags = (ushort)((i + 1 < buffers.Length ? VirtqDescriptor.FlagNext : 0)
                | (buffers[i].IsWritable ? VirtqDescriptor.FlagWrite : 0));
            WriteDescriptor(table, i, buffers[i].Address, buffers[i].Length, flags, (ushort)(i + 1));
        }

        int head = _nextDescriptor++ % Size;
        WriteDescriptor(Descriptors, head, table, 16u * (uint)buffers.Length, VirtqDescriptor.FlagIndirect, 0);
        Offer((ushort)head);
        return head;
    }

    /// <summary>Goes on where another driver stands, after its memory was copied over this one's.</summary>
    public void Adopt(GuestQueue other)
    {
        _availableIndex = other._availableIndex;
        _nextUsed = other._nextUsed;
        _nextDescriptor = other._nextDescriptor;
    }

    /// <summary>Puts a head into the available ring and moves the index.</summary>
    public void Offer(ushort head)
    {
        Write(Available + 4 + 2ul * (ushort)(_availableIndex % Size), head);
        SetAvailableIndex((ushort)(_availableIndex + 1));
    }

    public void SetAvailableIndex(ushort value)
    {
        _availableIndex = value;
        Assert.True(memory.TryWriteRelease(new GuestPhysicalAddress(Available + 2), value));
    }

    /// <summary>Takes the used elements that came since the last call; the list is used again by the next call.</summary>
    public IReadOnlyList<(int Head, uint Length)> TakeUsed()
    {
        _completions.Clear();
        while (TryTakeUsed(out int head, out uint length))
            _completions.Add((head, length));
        return _completions;
    }

    public bool TryTakeUsed(out int head, out uint length)
    {
        head = -1;
        length = 0;
        if (_nextUsed == UsedIndex)
            return false;
        ulong entry = Used + 4 + 8ul * (ushort)(_nextUsed % Size);
        Assert.True(memory.TryRead(new GuestPhysicalAddress(entry), out VirtqUsedElement element));
        _nextUsed++;
        head = (int)element.Id;
        length = element.Length;
        return true;
    }

    private ushort Read16(ulong address)
    {
        Assert.True(memory.TryReadAcquire(new GuestPhysicalAddress(address), out ushort value));
        return value;
    }

    private void Write<T>(ulong address, T value)
        where T : unmanaged =>
        Assert.True(memory.TryWrite(new GuestPhysicalAddress(address), value));
}
