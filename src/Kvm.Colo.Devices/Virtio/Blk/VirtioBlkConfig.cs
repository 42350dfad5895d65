namespace Kvm.Colo.Devices.Virtio.Blk;

/// <summary>A disk as the machine is built.</summary>
/// <param name="Name">The user's id for it.</param>
/// <param name="InstanceId">Its place among the disks; the same on both hosts.</param>
/// <param name="Serial">What GET_ID answers, at most 20 ASCII characters.</param>
internal sealed record VirtioBlkConfig(string Name, uint InstanceId, string Serial);
