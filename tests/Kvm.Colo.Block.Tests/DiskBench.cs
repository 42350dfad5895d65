using Kvm.Colo.Memory;
using Kvm.Colo.Native;

namespace Kvm.Colo.Block.Tests;

/// <summary>A disk's guest: memory, and requests that can be begun and awaited.</summary>
internal sealed class DiskBench : IDisposable
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private const ulong Area = 4 << 20;
    private readonly GuestMemory _memory = GuestMemory.Create(16 << 20);
    private ulong _next;

    public Errno Write(IBlockNode node, ulong offset, byte[] data) => Await(BeginWrite(node, offset, data));

    public Errno Write(IBlockNode node, ulong offset, int length, byte value)
    {
        byte[] data = new byte[length];
        data.AsSpan().Fill(value);
        return Write(node, offset, data);
    }

    public byte[] Read(IBlockNode node, ulong offset, int length)
    {
        ulong at = Take(length);
        BenchRequest request = Prepare(BlockOperation.Read, offset, (ulong)length, at);
        node.Submit(request.Request);
        Assert.Equal(Errno.None, Await(request));
        byte[] data = new byte[length];
        Assert.True(_memory.TryRead(new GuestPhysicalAddress(at), data));
        return data;
    }

    public Errno Do(IBlockNode node, BlockOperation operation, ulong offset = 0, ulong length = 0)
    {
        BenchRequest request = Prepare(operation, offset, length, null);
        node.Submit(request.Request);
        return Await(request);
    }

    public BenchRequest BeginWrite(IBlockNode node, ulong offset, byte[] data)
    {
        ulong at = Take(data.Length);
        Assert.True(_memory.TryWrite(new GuestPhysicalAddress(at), data));
        BenchRequest request = Prepare(BlockOperation.Write, offset, (ulong)data.Length, at);
        node.Submit(request.Request);
        return request;
    }

    public BenchRequest Begin(IBlockNode node, BlockOperation operation)
    {
        BenchRequest request = Prepare(operation, 0, 0, null);
        node.Submit(request.Request);
        return request;
    }

    public static Errno Await(BenchRequest request)
    {
        Assert.True(request.Ended.Wait(Deadline), "the request did not end");
        return request.Request.Result;
    }

    public void Dispose() => _memory.Dispose();

    private BenchRequest Prepare(BlockOperation operation, ulong offset, ulong length, ulong? at)
    {
        BenchRequest request = new();
        request.Request.Operation = operation;
        request.Request.OffsetBytes = offset;
        request.Request.LengthBytes = length;
        if (at is { } address)
        {
            Assert.True(_memory.TryGetHostRange(new GuestPhysicalAddress(address), length, out nuint host));
            Assert.True(request.Request.Vectors.TryAdd(host, length));
        }

        return request;
    }

    // Requests that are under way together must not share memory.
    private ulong Take(int length)
    {
        if (_next + (ulong)length > Area)
            _next = 0;
        ulong at = 0x10_0000 + _next;
        _next += ((ulong)length + 4095) & ~4095ul;
        return at;
    }
}
