using System.Buffers.Binary;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Links;

/// <summary>
/// Buffers a link's incoming bytes for the codecs: look at what is there, read on when a codec needs more. Bounded by its buffer;
/// belongs to one thread.
/// </summary>
internal sealed class LinkReader(ILink link)
{
    private readonly byte[] _buffer = new byte[256 * 1024];
    private int _start;
    private int _end;

    public ILink Link { get; } = link;

    /// <summary>How long the peer may be silent.</summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>If set, is fed every byte as it is consumed.</summary>
    public StreamDigest? Digest { get; set; }

    /// <summary>If set, hears of every arrival, whatever it belongs to.</summary>
    public Action? Arrived { get; set; }

    /// <summary>What has arrived and was not consumed.</summary>
    public ReadOnlySpan<byte> Available => _buffer.AsSpan(_start, _end - _start);

    /// <summary>The same, for codecs that keep it while they parse.</summary>
    public ReadOnlyMemory<byte> AvailableMemory => _buffer.AsMemory(_start, _end - _start);

    /// <summary>Waits for more bytes behind those available.</summary>
    /// <exception cref="LinkException">The peer closed, failed or was silent; or one item is larger than the buffer.</exception>
    public void Fill()
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }
        else if (_end == _buffer.Length)
        {
            if (_start == 0)
                throw new LinkException($"{Link.Description}: an item of the stream is larger than {_buffer.Length} bytes");
            Available.CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        _end += Receive(_buffer.AsSpan(_end));
    }

    /// <summary>Waits until at least <paramref name="count"/> bytes are available.</summary>
    public void Require(int count)
    {
        while (_end - _start < count)
            Fill();
    }

    public void Consume(int count)
    {
        Digest?.Append(_buffer.AsSpan(_start, count));
        _start += count;
    }

    public byte Peek()
    {
        Require(1);
        return _buffer[_start];
    }

    public uint ReadUInt32()
    {
        Require(4);
        uint value = BinaryPrimitives.ReadUInt32BigEndian(Available);
        Consume(4);
        return value;
    }

    /// <summary>Copies exactly as many bytes as fit <paramref name="destination"/>, straight from the link where it can.</summary>
    public void ReadExactly(Span<byte> destination)
    {
        int buffered = Math.Min(destination.Length, _end - _start);
        _buffer.AsSpan(_start, buffered).CopyTo(destination);
        Consume(buffered);
        destination = destination[buffered..];
        while (destination.Length >= 64 * 1024)
        {
            int received = Receive(destination);
            Digest?.Append(destination[..received]);
            destination = destination[received..];
        }

        Require(destination.Length);
        Available[..destination.Length].CopyTo(destination);
        Consume(destination.Length);
    }

    private int Receive(Span<byte> room)
    {
        int received = Link.Receive(room, Deadline);
        if (received == 0)
            throw new LinkException($"{Link.Description}: the peer closed the connection");
        Arrived?.Invoke();
        return received;
    }
}
