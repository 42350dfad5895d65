namespace Kvm.Colo.Stream;

/// <summary>Something live with state in the stream: a device, a vCPU, an interrupt chip. <see cref="Capture"/> and
/// <see cref="Apply"/> are called with the vCPUs parked and the devices drained.</summary>
internal interface IStateOwner
{
    /// <summary>Section name, a legal <see cref="WireName"/>.</summary>
    string Name { get; }

    /// <summary>Tells owners of one name apart (a vCPU's index).</summary>
    uint InstanceId { get; }

    /// <summary>Version of the fields; another version is refused.</summary>
    uint Version { get; }

    /// <summary>What a save visits; filled by <see cref="Capture"/>.</summary>
    DeviceState Current { get; }

    /// <summary>What a load visits; live only after <see cref="Apply"/>.</summary>
    DeviceState Staged { get; }

    /// <summary>Fills <see cref="Current"/> from the live device.</summary>
    void Capture();

    /// <summary>Makes <see cref="Staged"/> live. Called only after every section of the epoch was parsed and validated.</summary>
    /// <returns>Null, or why the host could not do it: the VM cannot go on from here.</returns>
    string? Apply();
}
