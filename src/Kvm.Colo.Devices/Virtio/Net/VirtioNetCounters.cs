namespace Kvm.Colo.Devices.Virtio.Net;

/// <summary>Frames of one card. Written under its lock, read by anyone.</summary>
internal sealed class VirtioNetCounters
{
    private long _received;
    private long _sent;
    private long _receivedBytes;
    private long _sentBytes;
    private long _receiveDropped;
    private long _sendDropped;

    /// <summary>Frames the guest was given.</summary>
    public long Received => Volatile.Read(ref _received);

    /// <summary>Frames the backend took.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Bytes of those frames, as on the wire.</summary>
    public long ReceivedBytes => Volatile.Read(ref _receivedBytes);

    public long SentBytes => Volatile.Read(ref _sentBytes);

    /// <summary>Frames for which the guest's buffers were too small, and those that came with the link down.</summary>
    public long ReceiveDropped => Volatile.Read(ref _receiveDropped);

    /// <summary>Frames of illegal length or header, with the link down, or refused by the host.</summary>
    public long SendDropped => Volatile.Read(ref _sendDropped);

    public void CountReceived(ulong bytes)
    {
        Interlocked.Increment(ref _received);
        Interlocked.Add(ref _receivedBytes, (long)bytes);
    }

    public void CountSent(ulong bytes)
    {
        Interlocked.Increment(ref _sent);
        Interlocked.Add(ref _sentBytes, (long)bytes);
    }

    public void CountReceiveDropped() => Interlocked.Increment(ref _receiveDropped);

    public void CountSendDropped() => Interlocked.Increment(ref _sendDropped);
}
