namespace Kvm.Colo.Qmp.Hosting;

/// <summary>A network card: its end on this host and its frames since the machine was made.</summary>
internal sealed record QmpNetCard
{
    public required string InterfaceName { get; init; }

    public required string Address { get; init; }

    public bool IsLinkUp { get; init; }

    /// <summary>Frames the guest was given, and their bytes as on the wire.</summary>
    public long ReceivedFrames { get; init; }

    public long ReceivedBytes { get; init; }

    public long ReceiveDropped { get; init; }

    /// <summary>Frames that the guest sent and the card took, and their bytes as on the wire.</summary>
    public long SentFrames { get; init; }

    public long SentBytes { get; init; }

    public long SendDropped { get; init; }

    /// <summary>Frames that had to wait for their epoch to be committed.</summary>
    public long HeldFrames { get; init; }

    /// <summary>Frames that wait for it now.</summary>
    public long WaitingFrames { get; init; }

    /// <summary>Frames the card took and the network never got.</summary>
    public long NeverLeft { get; init; }
}
