using System.Text;
using Kvm.Colo.Native;

namespace Kvm.Colo.Kvm;

/// <summary>
/// The CPU of <c>--cpu baseline</c>: x86-64-v2 and what a Linux guest on KVM wants beside it, the same on every host of one maker.
/// Caches, power management, performance counters, XSAVE and everything newer are not shown. The list is in Kvm.Colo.Kvm/README.md.
/// </summary>
internal static class CpuBaseline
{
    /// <summary>Physical addresses the guest may use, in bits; the least of all processors with EPT or NPT.</summary>
    public const int PhysicalAddressBits = 39;

    /// <summary>Largest guest whose RAM, with the hole below 4 GiB, fits those addresses.</summary>
    public const ulong MaxMemoryBytes = (1ul << PhysicalAddressBits) - (1ul << 30);

    private const uint MaxBasicLeaf = 0xB;
    private const uint MaxExtendedLeaf = 0x8000_0008;
    private const int VirtualAddressBits = 48;
    private const string Brand = "colo-vm baseline (x86-64-v2)";

    // sse3, ssse3, cx16, sse4.1, sse4.2, x2apic, popcnt
    private const uint Features1Ecx = (1u << 0) | (1u << 9) | (1u << 13) | (1u << 19) | (1u << 20) | (1u << 21) | (1u << 23);

    // fpu de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2
    private const uint Features1Edx = 0x078B_FBFD;
    private const uint LahfInLongMode = 1u << 0;

    // syscall, nx, lm
    private const uint ExtendedEdx = (1u << 11) | (1u << 20) | (1u << 29);

    // kvmclock (both sets of registers), no I/O delay, a stable clock
    private const uint KvmFeatures = (1u << 0) | (1u << 1) | (1u << 3) | (1u << 24);

    /// <summary>The baseline's leaves on this host, for <see cref="CpuidTable.ForVcpu"/>.</summary>
    /// <exception cref="KvmUnavailableException">The host lacks a feature of it.</exception>
    public static CpuidTable For(CpuidTable supported)
    {
        supported.TryFind(0, 0, out kvm_cpuid_entry2 maker);
        CpuidTable table = Build(maker);
        IReadOnlyList<string> missing = CpuidFeatures.Missing(table, supported);
        if (missing.Count > 0)
            throw new KvmUnavailableException($"this host lacks {string.Join(", ", missing)} of the baseline CPU", "use --cpu host");
        if (supported.PhysicalAddressBits < PhysicalAddressBits)
        {
            throw new KvmUnavailableException(
                $"this host has {supported.PhysicalAddressBits} bits of physical address, the baseline CPU {PhysicalAddressBits}",
                "use --cpu host");
        }

        return table;
    }

    private static CpuidTable Build(kvm_cpuid_entry2 maker)
    {
        Span<byte> brand = stackalloc byte[48];
        brand.Clear();
        Encoding.ASCII.GetBytes(Brand, brand);
        return new CpuidTable(
        [
            maker with { eax = MaxBasicLeaf },
            Leaf(1, Signature(maker.ebx), ebx: 0x0800, ecx: Features1Ecx, edx: Features1Edx),
            Leaf(7, 0, flags: KvmConstants.KVM_CPUID_FLAG_SIGNIFCANT_INDEX),
            Leaf(0xB, 0, flags: KvmConstants.KVM_CPUID_FLAG_SIGNIFCANT_INDEX),
            Leaf(0x4000_0000, 0x4000_0001, ebx: 0x4B4D_564B, ecx: 0x564B_4D56, edx: 0x4D),
            Leaf(0x4000_0001, KvmFeatures),
            Leaf(0x8000_0000, MaxExtendedLeaf, maker.ebx, maker.ecx, maker.edx),
            Leaf(0x8000_0001, Signature(maker.ebx), ecx: LahfInLongMode, edx: ExtendedEdx),
            BrandLeaf(0x8000_0002, brand),
            BrandLeaf(0x8000_0003, brand[16..]),
            BrandLeaf(0x8000_0004, brand[32..]),
            Leaf(0x8000_0008, PhysicalAddressBits | (VirtualAddressBits << 8)),
        ]);
    }

    // Family, model and stepping that mean a generic 64-bit CPU to guests: 15.6.1 from Intel, 15.107.1 from others.
    private static uint Signature(uint makerEbx)
    {
        const uint GenuineIntelEbx = 0x756E_6547;
        return makerEbx == GenuineIntelEbx ? 0x0000_0F61u : 0x0006_0FB1u;
    }

    private static kvm_cpuid_entry2 BrandLeaf(uint function, ReadOnlySpan<byte> text) => Leaf(
        function,
        BitConverter.ToUInt32(text),
        BitConverter.ToUInt32(text[4..]),
        BitConverter.ToUInt32(text[8..]),
        BitConverter.ToUInt32(text[12..]));

    private static kvm_cpuid_entry2 Leaf(uint function, uint eax, uint ebx = 0, uint ecx = 0, uint edx = 0, uint flags = 0) =>
        new() { function = function, flags = flags, eax = eax, ebx = ebx, ecx = ecx, edx = edx };
}
