namespace Kvm.Colo.Devices;

/// <summary>
/// Consecutive ports owned by one device. <paramref name="DeviceOffset"/> is the offset the device sees at
/// <paramref name="Start"/>, so that a device with a gap in its ports is registered once per piece.
/// </summary>
internal readonly record struct PortRange(ushort Start, int Count, string Name, IPortDevice Device, ushort DeviceOffset = 0);
