using Kvm.Colo.Stream;

namespace Kvm.Colo.Machine.State;

/// <summary>How often the machine was reset and what the last reset was, so that the peer tells of it in the epoch it arrives with.</summary>
internal sealed class ResetState : DeviceState
{
    private ulong _count;
    private uint _cause;
    private bool _byGuest;
    private uint _offCause;

    public ulong Count
    {
        get => _count;
        set => _count = value;
    }

    public ShutdownCause Cause
    {
        get => (ShutdownCause)_cause;
        set => _cause = (uint)value;
    }

    public bool ByGuest
    {
        get => _byGuest;
        set => _byGuest = value;
    }

    /// <summary>Why the guest is off, when it is.</summary>
    public ShutdownCause OffCause
    {
        get => (ShutdownCause)_offCause;
        set => _offCause = (uint)value;
    }

    public override void Visit(StateVisitor v)
    {
        v.U64("count", ref _count);
        v.U32("cause", ref _cause);
        v.Bool("by-guest", ref _byGuest);
        v.U32("off-cause", ref _offCause);
    }

    public override string? Validate() => Enum.IsDefined(Cause) && Enum.IsDefined(OffCause)
        ? null
        : $"unknown cause of a reset or shutdown: {_cause}, {_offCause}";
}
