using Kvm.Colo.Native;

namespace Kvm.Colo.Net;

/// <summary>
/// A switch between a card and its network. While it is closed, frames of the guest vanish as on an unplugged wire and frames for it stay
/// in the host; the card notices nothing. Safe from any thread.
/// </summary>
internal sealed class NetGate(INetBackend network) : INetBackend
{
    private readonly Lock _lock = new();
    private bool _isOpen = true;
    private bool _isReceiving;

    public string Name => network.Name;

    public bool IsOpen
    {
        get
        {
            lock (_lock)
                return _isOpen;
        }

        set
        {
            lock (_lock)
            {
                _isOpen = value;
                network.SetReceiving(_isOpen && _isReceiving);
            }
        }
    }

    public void Start(Action readable, Action lost) => network.Start(readable, lost);

    public void SetReceiving(bool enabled)
    {
        lock (_lock)
        {
            _isReceiving = enabled;
            network.SetReceiving(_isOpen && enabled);
        }
    }

    public int TryReceive(Span<byte> frame) => IsOpen ? network.TryReceive(frame) : 0;

    public Errno TrySend(ReadOnlySpan<byte> frame) => IsOpen ? network.TrySend(frame) : Errno.None;

    public Errno SetOffloads(NetOffloads offloads) => network.SetOffloads(offloads);

    public void Dispose() => network.Dispose();
}
