namespace Kvm.Colo.Devices.Virtio;

/// <summary>Which device this is.</summary>
/// <param name="DeviceId">Virtio device id (section 5): 1 net, 2 block, 3 console, 4 entropy, 5 balloon.</param>
/// <param name="SectionName">Its name in the stream, such as <c>virtio-blk</c>.</param>
/// <param name="InstanceId">Tells devices of one kind apart in the stream; the same on both hosts.</param>
/// <param name="Name">What messages call it: the id the user gave.</param>
internal sealed record VirtioIdentity(uint DeviceId, string SectionName, uint InstanceId, string Name);
