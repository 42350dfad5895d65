using Kvm.Colo.Kvm;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Machine.State;

/// <summary>PIC, IOAPIC, PIT and kvmclock as the stream carries them.</summary>
internal sealed class ChipsState(VmSnapshot snapshot) : DeviceState
{
    public override void Visit(StateVisitor v)
    {
        v.Bytes("pic_master", snapshot.ChipBytes(0));
        v.Bytes("pic_slave", snapshot.ChipBytes(1));
        v.Bytes("ioapic", snapshot.ChipBytes(2));
        v.Bytes("pit", snapshot.PitBytes);
        v.U64("kvmclock", ref snapshot.Clock.clock);
    }
}
