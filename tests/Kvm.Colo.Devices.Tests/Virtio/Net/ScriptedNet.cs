using Kvm.Colo.Native;
using Kvm.Colo.Net;

namespace Kvm.Colo.Devices.Tests.Virtio.Net;

/// <summary>A wire in memory.</summary>
internal sealed class ScriptedNet : INetBackend
{
    private readonly Queue<byte[]> _toGuest = [];
    private Action? _readable;
    private Action? _lost;

    public string Name => "wire";

    public List<byte[]> Sent { get; } = [];

    public List<NetOffloads> Offloads { get; } = [];

    public bool IsReceiving { get; private set; }

    public bool KeepsFrames { get; set; } = true;

    /// <summary>Whether the host has taken the interface away.</summary>
    public bool IsGone { get; set; }

    public int Waiting => _toGuest.Count;

    public void Start(Action readable, Action lost)
    {
        _readable = readable;
        _lost = lost;
    }

    public void SetReceiving(bool enabled) => IsReceiving = enabled;

    /// <summary>A frame comes in; the card looks at it if it listens.</summary>
    public void Arrive(params byte[][] frames)
    {
        foreach (byte[] frame in frames)
            _toGuest.Enqueue(frame);
        if (IsReceiving)
            _readable!();
    }

    public void Lose() => _lost!();

    public int TryReceive(Span<byte> frame)
    {
        if (!_toGuest.TryDequeue(out byte[]? next))
            return 0;
        next.CopyTo(frame);
        return next.Length;
    }

    public Errno TrySend(ReadOnlySpan<byte> frame)
    {
        if (KeepsFrames)
            Sent.Add(frame.ToArray());
        return Errno.None;
    }

    public Errno SetOffloads(NetOffloads offloads)
    {
        if (IsGone)
            return Errno.ENODEV;
        if (KeepsFrames)
            Offloads.Add(offloads);
        return Errno.None;
    }

    public void Dispose()
    {
    }
}
