namespace Kvm.Colo.Stream;

/// <summary>One return-path message, as a view into the bytes it was read from.</summary>
internal readonly ref struct ReturnPathMessage
{
    public ReturnPathType Type { get; init; }

    /// <summary>Status of Shut (0 is success), number of Pong, 1 of ResumeAck.</summary>
    public uint Value { get; init; }

    /// <summary>Byte offset in the RAM block of a page request.</summary>
    public ulong Start { get; init; }

    /// <summary>Bytes a page request asks for.</summary>
    public uint LengthBytes { get; init; }

    /// <summary>Block of RequestPagesInBlock or ReceivedBitmap; RequestPages means the block of the request before.</summary>
    public ReadOnlySpan<byte> BlockName { get; init; }
}
