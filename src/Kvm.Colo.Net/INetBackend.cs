using Kvm.Colo.Native;

namespace Kvm.Colo.Net;

/// <summary>
/// The host's end of a network card: a tap, or a chain of filters before one. Frames carry a <see cref="VnetHeader"/>. Nothing
/// blocks. Every member is safe from any thread; the card calls under its own lock, so a backend must not call it back from
/// inside a member.
/// </summary>
internal interface INetBackend : IDisposable
{
    /// <summary>What messages call it.</summary>
    string Name { get; }

    /// <summary>
    /// Connects the card; once. <paramref name="readable"/> is called on the I/O thread while receiving is on and frames wait;
    /// <paramref name="lost"/> when the host took the interface away.
    /// </summary>
    void Start(Action readable, Action lost);

    /// <summary>Off at first. While it is off nothing is called and frames wait in the host.</summary>
    void SetReceiving(bool enabled);

    /// <summary>Takes the next frame: its length with the header, 0 when there is none, -errno.</summary>
    int TryReceive(Span<byte> frame);

    /// <summary>Whether a frame of any length would be taken now; if not, the card leaves it with the guest until it is notified.</summary>
    bool CanSend => true;

    /// <summary>Sends a frame; what the host does not take is lost, as on a wire.</summary>
    Errno TrySend(ReadOnlySpan<byte> frame);

    /// <summary>
    /// Says what the guest's driver accepted; again after a state was loaded. ENODEV when the host has taken the interface away.
    /// </summary>
    Errno SetOffloads(NetOffloads offloads);
}
