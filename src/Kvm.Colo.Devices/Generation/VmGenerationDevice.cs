using Kvm.Colo.Memory;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Devices.Generation;

/// <summary>
/// The VM generation id: 16 bytes in guest memory that change when the guest may live a second time, so that it makes new keys and
/// random numbers. They change when a guest is restored from a saved state; not when it moves live, is reset, or survives its host,
/// because nobody has seen the life that ended there. An id given by the user is the new one at every arrival, as in QEMU. Source:
/// Microsoft, Virtual Machine Generation ID. The control loop calls, with the vCPUs parked.
/// </summary>
/// <param name="memory">Where the guest looks for it.</param>
/// <param name="config">Its place and, if the user gave one, its value.</param>
/// <param name="notify">Tells the guest that it has changed.</param>
internal sealed class VmGenerationDevice(GuestMemory memory, VmGenerationConfig config, Action notify) : IStateOwner
{
    private readonly VmGenerationState _current = new();
    private readonly VmGenerationState _staged = new();
    private readonly Lock _lock = new();
    private Guid _id = config.Id ?? Guid.NewGuid();

    public string Name => "vmgenid";

    public uint InstanceId => 0;

    public uint Version => 1;

    public DeviceState Current => _current;

    public DeviceState Staged => _staged;

    /// <summary>What the guest sees; any thread reads.</summary>
    public Guid Id
    {
        get
        {
            lock (_lock)
                return _id;
        }

        private set
        {
            lock (_lock)
                _id = value;
        }
    }

    /// <summary>Puts the id where the firmware tables say; at every start of the guest, with RAM cleared.</summary>
    public void Install() => Write(Id);

    /// <summary>The guest has arrived and is loaded.</summary>
    /// <param name="isRestore">From a saved state, which may be restored again, and not from a machine that gave it away.</param>
    public void OnArrived(bool isRestore)
    {
        Guid wanted = config.Id ?? (isRestore ? Guid.NewGuid() : Id);
        if (wanted == Id)
            return;
        Id = wanted;
        Write(wanted);
        notify();
    }

    public void Capture() => Id.TryWriteBytes(_current.Id);

    public string? Apply()
    {
        Id = new Guid(_staged.Id);
        return null;
    }

    // In memory the first three fields are little-endian, as in System.Guid.
    private void Write(Guid id)
    {
        Span<byte> bytes = stackalloc byte[VmGenerationState.IdBytes];
        id.TryWriteBytes(bytes);
        memory.TryWrite(config.Address, bytes);
    }
}
