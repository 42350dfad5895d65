using Kvm.Colo.Net;

namespace Kvm.Colo.Machine;

/// <summary>One network card of the machine, on a tap of the host.</summary>
/// <param name="Id">What messages and the control socket call it; unique among the machine's devices.</param>
/// <param name="InterfaceName">The tap to take or make; null lets the host choose a name.</param>
/// <param name="Address">The card's Ethernet address; the same on both hosts of a pair.</param>
internal sealed record NetConfig(string Id, string? InterfaceName, MacAddress Address);
