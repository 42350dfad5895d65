namespace Kvm.Colo.Qmp.Hosting;

/// <summary>QAPI <c>SocketAddress</c>: the members its kind has are set.</summary>
internal sealed record QmpSocketAddress(QmpSocketKind Kind)
{
    public string? Host { get; init; }

    /// <summary>A decimal port, as QAPI has it.</summary>
    public string? Port { get; init; }

    public string? Path { get; init; }

    /// <summary>Context id of a vsock peer, or the name or number of a file descriptor.</summary>
    public string? Identifier { get; init; }
}

/// <summary>QAPI <c>SocketAddressType</c>.</summary>
internal enum QmpSocketKind
{
    Inet,
    Unix,
    Vsock,
    Fd,
}
