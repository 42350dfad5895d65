using Kvm.Colo.Memory;
using Kvm.Colo.Native.Io;

namespace Kvm.Colo.Devices.Virtio;

/// <summary>What the machine gives to each of its virtio devices.</summary>
/// <param name="Memory">The guest's RAM.</param>
/// <param name="Loop">The I/O thread.</param>
/// <param name="Time">The clock of deadlines and of the limit on log lines.</param>
/// <param name="FaultLine">Takes one finished line about what a guest did wrong, at most one per device and ten seconds; any
/// thread.</param>
internal sealed record VirtioHost(GuestMemory Memory, IIoLoop Loop, TimeProvider Time, Action<string> FaultLine);
