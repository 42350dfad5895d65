using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Colo;

/// <summary>The hashes of all RAM and of all disks at the cut, when checkpoints are verified.</summary>
internal sealed class VerificationState : DeviceState
{
    private bool _present;
    private ulong _high;
    private ulong _low;
    private bool _hasDisks;
    private ulong _diskHigh;
    private ulong _diskLow;

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

    /// <summary>The hash of all writable disks, null when the primary does not verify or has none.</summary>
    public UInt128? DiskHash
    {
        get => _hasDisks ? new UInt128(_diskHigh, _diskLow) : null;
        set
        {
            _hasDisks = value.HasValue;
            _diskHigh = (ulong)((value ?? 0) >> 64);
            _diskLow = (ulong)(value ?? 0);
        }
    }

    public override void Visit(StateVisitor v)
    {
        v.Bool("present", ref _present);
        v.U64("hash_high", ref _high);
        v.U64("hash_low", ref _low);
        v.Bool("disks_present", ref _hasDisks);
        v.U64("disk_hash_high", ref _diskHigh);
        v.U64("disk_hash_low", ref _diskLow);
    }
}
