using Kvm.Colo.Memory;
using Kvm.Colo.Native.Io;

namespace Kvm.Colo.Devices.Virtio;

/// <summary>What the machine gives to each of its virtio devices.</summary>
/// <param name="Memory">The guest's RAM.</param>
/// <param name="Loop">The I/O thread.</param>
/// <param name="Time">The clock of deadlines and of the limit on log lines.</param>
/// <param name="FaultLine">Takes a finished line about what a guest or the host did wrong, at most one of either per device and ten
/// seconds. Called on any thread under the device's lock: it must not block and not call the device.</param>
internal sealed record VirtioHost(GuestMemory Memory, IIoLoop Loop, TimeProvider Time, Action<string> FaultLine);
