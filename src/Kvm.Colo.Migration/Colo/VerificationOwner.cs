using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Colo;

/// <summary>Carries the proof of an epoch: the primary puts the hashes of its RAM and disks in, the secondary compares after it has applied.</summary>
internal sealed class VerificationOwner : IStateOwner
{
    private readonly VerificationState _current = new();
    private readonly VerificationState _staged = new();

    public string Name => "colo-vm/verification";

    public uint InstanceId => 0;

    public uint Version => 1;

    public DeviceState Current => _current;

    public DeviceState Staged => _staged;

    /// <summary>Hears now and then that this side still works on its proof, inside the pause; all RAM and disks can take long.</summary>
    public Action? Proving { get; set; }

    /// <summary>Primary: what to send with the next epoch.</summary>
    public UInt128? Sent
    {
        set => _current.RamHash = value;
    }

    /// <summary>Primary: the same for its disks.</summary>
    public UInt128? SentDisks
    {
        set => _current.DiskHash = value;
    }

    /// <summary>Secondary: what came with the epoch for its disks.</summary>
    public UInt128? ArrivedDisks => _staged.DiskHash;

    /// <summary>Secondary: what came with the epoch.</summary>
    public UInt128? Arrived => _staged.RamHash;

    public void Capture()
    {
        // Filled by the capture of RAM itself.
    }

    public string? Apply() => null;
}
