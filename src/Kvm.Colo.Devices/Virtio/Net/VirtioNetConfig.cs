using Kvm.Colo.Net;

namespace Kvm.Colo.Devices.Virtio.Net;

/// <summary>A network card as the machine is built.</summary>
/// <param name="Name">The user's id for it.</param>
/// <param name="InstanceId">Its place among the cards; the same on both hosts.</param>
/// <param name="Address">Its Ethernet address.</param>
/// <param name="OfferOffloads">Whether checksums and segmentation may be left to the other side.</param>
internal sealed record VirtioNetConfig(string Name, uint InstanceId, MacAddress Address, bool OfferOffloads = true);
