namespace Kvm.Colo.SystemTests.Support;

/// <summary>Bytes on their way from one thread to another, in room made once.</summary>
internal sealed class ByteRing(int capacity)
{
    private readonly object _lock = new();
    private readonly byte[] _bytes = new byte[capacity];
    private long _written;
    private long _read;
    private bool _closed;

    /// <summary>Puts all of them in; waits while there is no room.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            lock (_lock)
            {
                while (_written - _read == _bytes.Length && !_closed)
                    Monitor.Wait(_lock);
                if (_closed)
                    return;
                int at = (int)(_written % _bytes.Length);
                int count = Math.Min(bytes.Length, Math.Min(_bytes.Length - at, (int)(_bytes.Length - (_written - _read))));
                bytes[..count].CopyTo(_bytes.AsSpan(at));
                bytes = bytes[count..];
                _written += count;
                Monitor.PulseAll(_lock);
            }
        }
    }

    /// <summary>Takes some out; waits while there are none. 0 after the last.</summary>
    public int Read(Span<byte> room)
    {
        lock (_lock)
        {
            while (_written == _read && !_closed)
                Monitor.Wait(_lock);
            int at = (int)(_read % _bytes.Length);
            int count = Math.Min(room.Length, (int)Math.Min(_bytes.Length - at, _written - _read));
            _bytes.AsSpan(at, count).CopyTo(room);
            _read += count;
            Monitor.PulseAll(_lock);
            return count;
        }
    }

    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
            Monitor.PulseAll(_lock);
        }
    }
}
