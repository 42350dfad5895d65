using Kvm.Colo.Native;

namespace Kvm.Colo.Kvm;

/// <summary>A register of a CPUID leaf whose bits are features.</summary>
/// <param name="Function">The leaf.</param>
/// <param name="Index">The subleaf.</param>
/// <param name="Register">Which register of it.</param>
/// <param name="Names">The bits' names from bit 0, as /proc/cpuinfo spells them, a dash for a bit that is no feature to compare.</param>
internal sealed record CpuidWord(uint Function, uint Index, CpuidRegister Register, string[] Names)
{
    /// <summary>The bits to compare: those whose name is no dash.</summary>
    public uint Mask { get; } = MaskOf(Names);

    public uint Read(kvm_cpuid_entry2 leaf) => Register switch
    {
        CpuidRegister.Eax => leaf.eax,
        CpuidRegister.Ebx => leaf.ebx,
        CpuidRegister.Ecx => leaf.ecx,
        _ => leaf.edx,
    };

    /// <summary>A bit's name, or where it stands when it has none.</summary>
    public string NameOf(int bit) => bit < Names.Length
        ? Names[bit]
        : $"leaf 0x{Function:x}.{Index} {Register.ToString().ToLowerInvariant()} bit {bit}";

    private static uint MaskOf(string[] names)
    {
        uint mask = uint.MaxValue;
        for (int bit = 0; bit < names.Length; bit++)
        {
            if (names[bit] == "-")
                mask &= ~(1u << bit);
        }

        return mask;
    }
}
