using Kvm.Colo.Migration.Links;

namespace Kvm.Colo.SystemTests.Support;

/// <summary>Passes everything on and keeps a copy of both directions.</summary>
internal sealed class RecordingLink(ILink inner) : ILink
{
    private readonly Lock _lock = new();
    private readonly MemoryStream _sent = new();
    private readonly MemoryStream _received = new();

    public string Description => inner.Description;

    public TimeSpan SendDeadline
    {
        set => inner.SendDeadline = value;
    }

    public long BytesSent => inner.BytesSent;

    public long BytesReceived => inner.BytesReceived;

    public byte[] Sent
    {
        get
        {
            lock (_lock)
                return _sent.ToArray();
        }
    }

    public byte[] Received
    {
        get
        {
            lock (_lock)
                return _received.ToArray();
        }
    }

    public void Send(ReadOnlySpan<byte> data)
    {
        lock (_lock)
            _sent.Write(data);
        inner.Send(data);
    }

    public int Receive(Span<byte> buffer, TimeSpan deadline)
    {
        int received = inner.Receive(buffer, deadline);
        lock (_lock)
            _received.Write(buffer[..received]);
        return received;
    }

    public void Shutdown() => inner.Shutdown();

    public void Dispose() => inner.Dispose();
}
