namespace Kvm.Colo.Migration.Links;

/// <summary>
/// A duplex byte stream to the peer. One thread sends and one thread receives; <see cref="Shutdown"/> may come from anywhere and wakes
/// both. Everything in production and in the simulation speaks to this.
/// </summary>
internal interface ILink : IDisposable
{
    /// <summary>The peer for messages, such as <c>tcp:192.0.2.7:4444</c>.</summary>
    string Description { get; }

    /// <summary>A send that makes no progress for this long fails. Set by the sending thread.</summary>
    TimeSpan SendDeadline { set; }

    long BytesSent { get; }

    long BytesReceived { get; }

    /// <summary>Sends everything.</summary>
    /// <exception cref="LinkException">The link is gone, or the peer took nothing within the link's deadline.</exception>
    void Send(ReadOnlySpan<byte> data);

    /// <summary>Receives at least one byte; 0 means the peer closed its side.</summary>
    /// <exception cref="LinkException">The link is gone, or nothing came within <paramref name="deadline"/> (infinite: no limit).</exception>
    int Receive(Span<byte> buffer, TimeSpan deadline);

    /// <summary>Ends both directions at once; whoever sends or receives gets a <see cref="LinkException"/> or 0.</summary>
    void Shutdown();
}
