using Kvm.Colo.Block;
using Kvm.Colo.Native;

namespace Kvm.Colo.Devices.Tests.Virtio.Fuzz;

/// <summary>A disk in memory that answers some requests at once, some later, and some with an error.</summary>
internal sealed class FuzzNode(Random random, int capacityBytes) : IBlockNode
{
    private readonly byte[] _content = new byte[capacityBytes];
    private readonly List<BlockRequest> _held = new(1024);

    public string Name => "fuzz";

    public ulong CapacityBytes => (ulong)_content.Length;

    public bool IsReadOnly => false;

    public bool IsCongested => false;

    public int InFlight => _held.Count;

    public void Submit(BlockRequest request)
    {
        if (random.Next(2) == 0)
            Execute(request);
        else
            _held.Add(request);
    }

    public void ReleaseAll()
    {
        while (_held.Count > 0)
        {
            int index = random.Next(_held.Count);
            BlockRequest request = _held[index];
            _held.RemoveAt(index);
            Execute(request);
        }
    }

    public bool Drain(TimeSpan deadline)
    {
        ReleaseAll();
        return true;
    }

    public void Dispose()
    {
    }

    private void Execute(BlockRequest request)
    {
        if (request.Operation is not BlockOperation.Flush
            && (request.OffsetBytes > CapacityBytes || request.LengthBytes > CapacityBytes - request.OffsetBytes))
            throw new InvalidOperationException($"{request.LengthBytes} bytes at {request.OffsetBytes} are not on the disk");
        Span<byte> range = request.Operation == BlockOperation.Flush
            ? default
            : _content.AsSpan((int)request.OffsetBytes, (int)request.LengthBytes);
        switch (request.Operation)
        {
            case BlockOperation.Read:
                request.Vectors.CopyFrom(range);
                break;
            case BlockOperation.Write:
                request.Vectors.CopyTo(range);
                break;
            case BlockOperation.Discard or BlockOperation.WriteZeroes:
                range.Clear();
                break;
        }

        request.Complete(random.Next(50) == 0 ? Errno.EIO : Errno.None);
    }
}
