using System.Runtime.InteropServices;
using Kvm.Colo.Native;

namespace Kvm.Colo.Kvm;

/// <summary>The VM-wide part of a saved state: PIC master, PIC slave, IOAPIC, PIT and kvmclock. Reused from epoch to epoch.</summary>
internal sealed class VmSnapshot
{
    public const int ChipCount = 3;

    public readonly kvm_irqchip[] Chips = new kvm_irqchip[ChipCount];

    public kvm_pit_state2 Pit;

    public kvm_clock_data Clock;

    /// <summary>The registers of one chip as KVM carries them, 512 bytes over this snapshot.</summary>
    public Span<byte> ChipBytes(int chip) => MemoryMarshal.AsBytes(Chips.AsSpan(chip, 1))[8..];

    public Span<byte> PitBytes => MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref Pit, 1));
}
