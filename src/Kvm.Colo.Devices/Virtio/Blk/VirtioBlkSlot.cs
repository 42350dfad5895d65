using Kvm.Colo.Block;

namespace Kvm.Colo.Devices.Virtio.Blk;

/// <summary>
/// One request of the guest: its chain and what became of it. Made when the queue is that deep for the first time, then reused.
/// </summary>
internal sealed class VirtioBlkSlot
{
    public VirtioBlkSlot(int maxSegments, Action<VirtioBlkSlot> completed)
    {
        Chain = new VirtqueueChain(maxSegments);
        Request = new BlockRequest(maxSegments, _ => completed(this));
    }

    public VirtqueueChain Chain { get; }

    public BlockRequest Request { get; }

    /// <summary>Bytes of guest memory that a read fills, from the first writable buffer on.</summary>
    public ulong FilledBytes { get; set; }

    /// <summary>When the host got the request.</summary>
    public long BegunTimestamp { get; set; }

    /// <summary>Next in the list it is in: free ones or finished ones.</summary>
    public VirtioBlkSlot? Next { get; set; }
}
