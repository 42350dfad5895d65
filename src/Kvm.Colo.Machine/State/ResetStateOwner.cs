using Kvm.Colo.Stream;

namespace Kvm.Colo.Machine.State;

/// <summary>The resets of this machine in the stream. Control loop.</summary>
internal sealed class ResetStateOwner : IStateOwner
{
    private readonly ResetState _current = new();
    private readonly ResetState _staged = new();
    private ulong _count;
    private ShutdownCause _cause;
    private bool _byGuest;

    public string Name => "colo-vm/resets";

    public uint InstanceId => 0;

    public uint Version => 1;

    public DeviceState Current => _current;

    public DeviceState Staged => _staged;

    /// <summary>Whether the last load brought a reset this side had not seen.</summary>
    public bool HasArrived { get; private set; }

    public ShutdownCause Cause => _cause;

    public bool ByGuest => _byGuest;

    /// <summary>Why the guest is off, when it is.</summary>
    public ShutdownCause OffCause { get; set; }

    public void Count(bool byGuest, ShutdownCause cause)
    {
        _count++;
        _cause = cause;
        _byGuest = byGuest;
    }

    public void Capture()
    {
        _current.Count = _count;
        _current.Cause = _cause;
        _current.ByGuest = _byGuest;
        _current.OffCause = OffCause;
    }

    public string? Apply()
    {
        HasArrived = _staged.Count != _count;
        _count = _staged.Count;
        _cause = _staged.Cause;
        _byGuest = _staged.ByGuest;
        OffCause = _staged.OffCause;
        return null;
    }
}
