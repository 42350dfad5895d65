using Kvm.Colo.Stream;

namespace Kvm.Colo.Devices.Acpi;

/// <summary>Events the guest has not read yet.</summary>
internal sealed class AcpiPowerState : DeviceState
{
    public byte PendingEvents;

    public override void Visit(StateVisitor v) => v.U8("pending-events", ref PendingEvents);

    public override string? Validate() =>
        (PendingEvents & ~AcpiPowerDevice.AllEvents) == 0 ? null : $"events 0x{PendingEvents:x} are not known";
}
