namespace Kvm.Colo.Migration.Links;

/// <summary>A link over a one-way or two-way <see cref="Stream"/>: a file, a pipe to a command. It knows no deadlines.</summary>
internal sealed class StreamLink(System.IO.Stream? output, System.IO.Stream? input, string description, Action? onDispose = null) : ILink
{
    private long _bytesSent;
    private long _bytesReceived;

    public string Description { get; } = description;

    public TimeSpan SendDeadline
    {
        set
        {
            // A file or a pipe blocks as long as it blocks; cancelling closes it.
        }
    }

    public long BytesSent => Volatile.Read(ref _bytesSent);

    public long BytesReceived => Volatile.Read(ref _bytesReceived);

    public void Send(ReadOnlySpan<byte> data)
    {
        try
        {
            (output ?? throw new LinkException($"{Description} cannot be written")).Write(data);
            _bytesSent += data.Length;
        }
        catch (Exception e) when (e is IOException and not LinkException or ObjectDisposedException or UnauthorizedAccessException)
        {
            throw new LinkException($"cannot write {Description}: {e.Message}", e);
        }
    }

    public int Receive(Span<byte> buffer, TimeSpan deadline)
    {
        try
        {
            int received = (input ?? throw new LinkException($"{Description} cannot be read")).Read(buffer);
            _bytesReceived += received;
            return received;
        }
        catch (Exception e) when (e is IOException and not LinkException or ObjectDisposedException or UnauthorizedAccessException)
        {
            throw new LinkException($"cannot read {Description}: {e.Message}", e);
        }
    }

    public void Shutdown()
    {
        output?.Dispose();
        input?.Dispose();
    }

    public void Dispose()
    {
        Shutdown();
        onDispose?.Invoke();
    }
}
