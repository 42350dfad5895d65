using Kvm.Colo.Native;

namespace Kvm.Colo.Kvm;

/// <summary>The CPUID leaves one vCPU shows its guest. Both sides of a pair must be given the same; set once, before the first run.</summary>
internal sealed class CpuidTable(kvm_cpuid_entry2[] entries)
{
    /// <summary>Most leaves a table may have.</summary>
    public const int MaxEntries = 256;

    public ReadOnlySpan<kvm_cpuid_entry2> Entries => entries;

    /// <summary>Physical addresses in bits; 36 when the table does not say.</summary>
    public int PhysicalAddressBits => TryFind(0x8000_0008, 0, out kvm_cpuid_entry2 sizes) ? (int)(sizes.eax & 0xFF) : 36;

    /// <summary>The maker's twelve letters, in the order of leaf 0.</summary>
    public (uint Ebx, uint Edx, uint Ecx) Maker => TryFind(0, 0, out kvm_cpuid_entry2 leaf) ? (leaf.ebx, leaf.edx, leaf.ecx) : default;

    public bool TryFind(uint function, uint index, out kvm_cpuid_entry2 leaf)
    {
        foreach (ref readonly kvm_cpuid_entry2 entry in Entries)
        {
            if (entry.function == function && entry.index == index)
            {
                leaf = entry;
                return true;
            }
        }

        leaf = default;
        return false;
    }

    /// <summary>
    /// This table with the processor's name and first-level caches (leaves 0x80000002 to 0x80000005) where it has none: KVM leaves them to
    /// the VMM.
    /// </summary>
    /// <param name="read">The host's EAX to EDX of a leaf.</param>
    public CpuidTable WithNames(Func<uint, (uint Eax, uint Ebx, uint Ecx, uint Edx)> read)
    {
        const uint First = 0x8000_0002;
        const uint Last = 0x8000_0005;
        if (!TryFind(0x8000_0000, 0, out kvm_cpuid_entry2 extended) || extended.eax < Last)
            return this;
        List<kvm_cpuid_entry2> named = [.. entries];
        for (uint function = First; function <= Last; function++)
        {
            uint wanted = function;
            int at = named.FindIndex(leaf => leaf.function == wanted);
            if (at >= 0 && (named[at].eax | named[at].ebx | named[at].ecx | named[at].edx) != 0)
                continue;
            (uint eax, uint ebx, uint ecx, uint edx) = read(function);
            kvm_cpuid_entry2 filled = new() { function = function, eax = eax, ebx = ebx, ecx = ecx, edx = edx };
            if (at >= 0)
                named[at] = filled;
            else if (named.Count < MaxEntries)
                named.Add(filled);
        }

        return new CpuidTable([.. named]);
    }

    /// <summary>
    /// The table of vCPU <paramref name="index"/> of <paramref name="count"/>: APIC id, topology, hypervisor and TSC-deadline bits set,
    /// what cannot be migrated or is not offered taken out. Source: vmm-recipe 2.6, Intel SDM 3A CPUID.
    /// </summary>
    public CpuidTable ForVcpu(int index, int count)
    {
        kvm_cpuid_entry2[] copy = CopyWithCoreLevel();
        uint topologyBits = (uint)int.Log2(Math.Max(1, count - 1)) + (count > 1 ? 1u : 0);
        foreach (ref kvm_cpuid_entry2 leaf in copy.AsSpan())
        {
            switch (leaf.function)
            {
                case 1:
                    leaf.ebx = (leaf.ebx & 0x0000_FF00) | ((uint)index << 24) | ((uint)count << 16);
                    leaf.ecx |= (1u << 31) | (1u << 24); // hypervisor; TSC deadline, which Linux 6.1 leaves to the VMM
                    leaf.ecx &= ~(1u << 15); // PDCM: there is no PMU
                    leaf.edx = count > 1 ? leaf.edx | (1u << 28) : leaf.edx & ~(1u << 28);
                    break;
                case 4:
                    leaf.eax &= ~0xFC00_0000u;
                    leaf.eax |= (uint)(count - 1) << 26;
                    break;
                case 6:
                    leaf.eax &= ~2u; // no turbo
                    leaf.ecx &= ~8u; // no energy-performance bias
                    break;
                case 7 when leaf.index == 0:
                    leaf.ecx &= ~(1u << 5); // WAITPKG
                    leaf.edx &= ~((1u << 22) | (1u << 24) | (1u << 25)); // AMX, whose state does not fit the plain XSAVE area
                    break;
                case 0xA:
                    leaf.eax = leaf.ebx = leaf.ecx = leaf.edx = 0;
                    break;
                case 0xB or 0x1F:
                    leaf.edx = (uint)index;
                    switch (leaf.index)
                    {
                        case 0:
                            (leaf.eax, leaf.ebx, leaf.ecx) = (0, 1, 0x100);
                            break;
                        case 1:
                            (leaf.eax, leaf.ebx, leaf.ecx) = (topologyBits, (uint)count, 0x201);
                            break;
                        default:
                            (leaf.eax, leaf.ebx, leaf.ecx) = (0, 0, leaf.index);
                            break;
                    }

                    break;
                case 0x4000_0001:
                    leaf.eax &= ~((1u << 4) | (1u << 10) | (1u << 14)); // asynchronous page faults: a token of this host means nothing on the next
                    break;
                case 0x8000_0001:
                    leaf.ecx &= ~(1u << 2); // SVM
                    break;
                case 0x8000_0008:
                    leaf.ecx = (leaf.ecx & ~0xF0FFu) | (uint)(count - 1) | (topologyBits << 12);
                    break;
                case 0x8000_001E:
                    leaf.eax = (uint)index;
                    leaf.ebx = (leaf.ebx & ~0xFFFFu) | (uint)index;
                    break;
                default:
                    break;
            }

            if (leaf.function == 1)
                leaf.ecx &= ~(1u << 5); // VMX
        }

        return new CpuidTable(copy);
    }

    // Since Linux 6.2 KVM gives the topology leaves with their first level only, which would make every vCPU a package of its own.
    private kvm_cpuid_entry2[] CopyWithCoreLevel()
    {
        List<kvm_cpuid_entry2> copy = new(entries.Length + 2);
        copy.AddRange(entries);
        foreach (uint function in (ReadOnlySpan<uint>)[0xB, 0x1F])
        {
            int threads = copy.FindIndex(leaf => leaf.function == function && leaf.index == 0);
            if (threads >= 0 && !copy.Exists(leaf => leaf.function == function && leaf.index == 1))
                copy.Insert(threads + 1, new kvm_cpuid_entry2 { function = function, index = 1, flags = KvmConstants.KVM_CPUID_FLAG_SIGNIFCANT_INDEX });
        }

        return [.. copy];
    }
}
