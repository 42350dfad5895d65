using Kvm.Colo.Block;
using Kvm.Colo.Native;

namespace Kvm.Colo.Devices.Tests.Virtio.Blk;

/// <summary>A node that keeps every request until the test lets it go: a slow disk without the time.</summary>
internal sealed class HeldNode(ulong capacityBytes) : IBlockNode
{
    private readonly Queue<BlockRequest> _held = [];

    public string Name => "held";

    public ulong CapacityBytes { get; } = capacityBytes;

    public bool IsReadOnly => false;

    public bool IsCongested { get; set; }

    public int InFlight
    {
        get
        {
            lock (_held)
                return _held.Count;
        }
    }

    public void Submit(BlockRequest request)
    {
        lock (_held)
            _held.Enqueue(request);
    }

    /// <summary>Ends the oldest request, filling a read with <paramref name="content"/>.</summary>
    public void Release(Errno result = Errno.None, byte content = 0)
    {
        BlockRequest request;
        lock (_held)
            request = _held.Dequeue();
        if (request.Operation == BlockOperation.Read)
            request.Vectors.CopyFrom(Enumerable.Repeat(content, (int)request.LengthBytes).ToArray());
        request.Complete(result);
    }

    public bool Drain(TimeSpan deadline) => InFlight == 0;

    public void Dispose()
    {
    }
}
