using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Colo;

/// <summary>The hash of all RAM at the cut, when checkpoints are verified.</summary>
internal sealed class VerificationState : DeviceState
{
    private bool _present;
    private ulong _high;
    private ulong _low;

    /// <summary>The hash, null when the primary does not verify.</summary>
    public UInt128? RamHash
    {
        get => _present ? new UInt128(_high, _low) : null;
        set
        {
            _present = value.HasValue;
            _high = (ulong)((value ?? 0) >> 64);
            _low = (ulong)(value ?? 0);
        }
    }

    public override void Visit(StateVisitor v)
    {
        v.Bool("present", ref _present);
        v.U64("hash_high", ref _high);
        v.U64("hash_low", ref _low);
    }
}
