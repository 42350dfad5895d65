using Kvm.Colo.Memory;

namespace Kvm.Colo.Machine;

/// <summary>
/// What stands where a PC's firmware begins: a jump there restarts the machine. Linux on hardware-reduced ACPI relies on it, it takes the
/// firmware for EFI, finds none and goes to real mode at FFFF:0000 (arch/x86/kernel/reboot.c).
/// </summary>
internal static class ResetVector
{
    public const ulong Address = 0xF_FFF0;

    // mov al, 0xFE; out 0x64, al (the keyboard controller pulls the reset line); then hlt, for ever.
    private static ReadOnlySpan<byte> Code => [0xB0, 0xFE, 0xE6, 0x64, 0xF4, 0xEB, 0xFD];

    public static void Install(GuestMemory memory) => memory.TryWrite(new GuestPhysicalAddress(Address), Code);
}
