using Kvm.Colo.Native;

namespace Kvm.Colo.Net.Tests;

/// <summary>A network that keeps what it is sent.</summary>
internal sealed class RecordingNet : INetBackend
{
    public List<byte[]> Sent { get; } = [];

    public bool Keeps { get; set; } = true;

    public bool IsReceiving { get; private set; }

    public Errno Answer { get; set; }

    public string Name => "recording";

    public void Start(Action readable, Action lost)
    {
        // Nothing comes by itself.
    }

    public void SetReceiving(bool enabled) => IsReceiving = enabled;

    public int TryReceive(Span<byte> frame) => 7;

    public Errno TrySend(ReadOnlySpan<byte> frame)
    {
        if (Keeps)
            Sent.Add(frame.ToArray());
        return Answer;
    }

    public Errno SetOffloads(NetOffloads offloads) => Errno.None;

    public void Dispose()
    {
        // Nothing is held.
    }
}
