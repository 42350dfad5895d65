using System.Numerics;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Devices.Virtio;

/// <summary>One queue in the stream.</summary>
internal sealed class VirtqueueState(ushort maxSize)
{
    public ushort Size;
    public bool IsReady;
    public ulong DescriptorTable;
    public ulong AvailableRing;
    public ulong UsedRing;
    public ushort NextAvailable;
    public ushort NextUsed;

    public void Visit(StateVisitor v)
    {
        v.U16("queue_size", ref Size);
        v.Bool("queue_ready", ref IsReady);
        v.U64("queue_desc", ref DescriptorTable);
        v.U64("queue_avail", ref AvailableRing);
        v.U64("queue_used", ref UsedRing);
        v.U16("queue_next_avail", ref NextAvailable);
        v.U16("queue_next_used", ref NextUsed);
    }

    public string? Validate() =>
        Size == 0 || Size > maxSize || !BitOperations.IsPow2(Size) ? $"queue size {Size} of at most {maxSize}" : null;
}
