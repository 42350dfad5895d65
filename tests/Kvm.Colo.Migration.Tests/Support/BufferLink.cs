using Kvm.Colo.Migration.Links;

namespace Kvm.Colo.Migration.Tests.Support;

/// <summary>What is sent can be received; when it is used up, the peer has hung up.</summary>
internal sealed class BufferLink : ILink
{
    private readonly MemoryStream _bytes = new();
    private int _position;

    public string Description => "buffer";

    public TimeSpan SendDeadline
    {
        set
        {
            // Nothing here waits.
        }
    }

    public long BytesSent => _bytes.Length;

    public long BytesReceived => _position;

    public void Send(ReadOnlySpan<byte> data) => _bytes.Write(data);

    public int Receive(Span<byte> buffer, TimeSpan deadline)
    {
        int count = Math.Min(buffer.Length, (int)_bytes.Length - _position);
        _bytes.GetBuffer().AsSpan(_position, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    public void Shutdown()
    {
        // Both ends are here.
    }

    public void Dispose() => _bytes.Dispose();
}
