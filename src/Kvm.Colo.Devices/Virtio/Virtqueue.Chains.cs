using Kvm.Colo.Memory;

namespace Kvm.Colo.Devices.Virtio;

/// <content>
/// Reading a chain. Each descriptor is fetched once; the number of steps is bounded, so a loop is a chain too long.
/// </content>
internal sealed partial class Virtqueue
{
    private bool TryWalk(ushort head, VirtqueueChain chain)
    {
        chain.Begin(head);
        ulong table = DescriptorTable;
        uint tableSize = Size;
        uint index = head;
        bool inIndirectTable = false;
        for (uint step = 0; step < tableSize; step++)
        {
            if (index >= tableSize)
                return false;
            var at = new GuestPhysicalAddress(table + (ulong)VirtqDescriptor.SizeBytes * index);
            if (!memory.TryRead(at, out VirtqDescriptor descriptor))
                return false;
            if ((descriptor.Flags & VirtqDescriptor.FlagIndirect) != 0)
            {
                if (inIndirectTable || !IsIndirectTable(descriptor))
                    return false;
                inIndirectTable = true;
                table = descriptor.Address;
                tableSize = descriptor.Length / VirtqDescriptor.SizeBytes;
                index = 0;
                step = uint.MaxValue; // the table has its own bound; it is entered at most once
                continue;
            }

            if (!TryAddSegment(descriptor, chain))
                return false;
            if ((descriptor.Flags & VirtqDescriptor.FlagNext) == 0)
                return true;
            index = descriptor.Next;
        }

        return false;
    }

    // Sections 2.7.5.3.1 and 2.7.5.3.2: no table in a table, none that goes on elsewhere, never longer than the queue can be.
    private bool IsIndirectTable(VirtqDescriptor descriptor) =>
        _indirect
        && (descriptor.Flags & VirtqDescriptor.FlagNext) == 0
        && descriptor.Length != 0
        && descriptor.Length % VirtqDescriptor.SizeBytes == 0
        && descriptor.Length / VirtqDescriptor.SizeBytes <= MaxSize
        && memory.Contains(new GuestPhysicalAddress(descriptor.Address), descriptor.Length);

    private bool TryAddSegment(VirtqDescriptor descriptor, VirtqueueChain chain)
    {
        if (descriptor.Length == 0)
            return true;
        var segment = new GuestSegment(new GuestPhysicalAddress(descriptor.Address), descriptor.Length);
        return memory.Contains(segment.Address, segment.LengthBytes)
            && chain.TryAdd(segment, (descriptor.Flags & VirtqDescriptor.FlagWrite) != 0);
    }
}
