using System.Numerics;
using Kvm.Colo.Native;

namespace Kvm.Colo.Kvm;

/// <summary>Names and compares the features of CPUID tables. Sources: Intel SDM 2A CPUID, AMD APM 3 appendix E, Linux's KVM CPUID page.</summary>
internal static class CpuidFeatures
{
    // What the VMM sets by itself for every guest (TSC deadline, hypervisor, several processors) and what a guest's kernel turns on
    // (OSXSAVE, OSPKE) is nothing a host may lack.
    public static IReadOnlyList<CpuidWord> Words { get; } =
    [
        Word(1, 0, CpuidRegister.Ecx, "pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm "
            + "- pcid dca sse4_1 sse4_2 x2apic movbe popcnt - aes xsave - avx f16c rdrand -"),
        Word(1, 0, CpuidRegister.Edx, "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - dts acpi "
            + "mmx fxsr sse sse2 ss - tm ia64 pbe"),
        Word(7, 0, CpuidRegister.Ebx, "fsgsbase tsc_adjust sgx bmi1 hle avx2 - smep bmi2 erms invpcid rtm cqm - mpx rdt_a avx512f avx512dq "
            + "rdseed adx smap avx512ifma - clflushopt clwb intel_pt avx512pf avx512er avx512cd sha_ni avx512bw avx512vl"),
        Word(7, 0, CpuidRegister.Ecx, "prefetchwt1 avx512vbmi umip pku - waitpkg avx512_vbmi2 shstk gfni vaes vpclmulqdq avx512_vnni "
            + "avx512_bitalg tme avx512_vpopcntdq - la57 - - - - - rdpid"),
        Word(7, 0, CpuidRegister.Edx, "- - avx512_4vnniw avx512_4fmaps fsrm - - - avx512_vp2intersect srbds_ctrl md_clear rtm_always_abort - - "
            + "serialize hybrid tsxldtrk - pconfig arch_lbr ibt - amx_bf16 avx512_fp16 amx_tile amx_int8 spec_ctrl stibp flush_l1d "
            + "arch_capabilities core_capabilities ssbd"),
        Word(7, 1, CpuidRegister.Eax, "- - - - avx_vnni avx512_bf16"),
        Word(0xD, 0, CpuidRegister.Eax, "xcr0_x87 xcr0_sse xcr0_avx xcr0_bndregs xcr0_bndcsr xcr0_opmask xcr0_zmm_hi256 xcr0_hi16_zmm"),
        Word(0xD, 1, CpuidRegister.Eax, "xsaveopt xsavec xgetbv1 xsaves xfd"),
        Word(0x8000_0001, 0, CpuidRegister.Ecx, "lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw ibs xop "
            + "skinit wdt - lwp fma4 tce - nodeid_msr - tbm topoext perfctr_core"),
        Word(0x8000_0001, 0, CpuidRegister.Edx, "fpu vme de pse tsc msr pae mce cx8 apic - syscall mtrr pge mca cmov pat pse36 - - nx - mmxext "
            + "mmx fxsr fxsr_opt pdpe1gb rdtscp - lm 3dnowext 3dnow"),
        Word(0x8000_0007, 0, CpuidRegister.Edx, "- - - - - - - - constant_tsc"),
        Word(0x8000_0008, 0, CpuidRegister.Ebx, "clzero irperf xsaveerptr - - - - - - wbnoinvd - - ibpb"),
        Word(0x4000_0001, 0, CpuidRegister.Eax, "kvmclock kvm_nopiodelay kvm_mmu kvmclock2 kvm_asyncpf kvm_steal_time kvm_pv_eoi kvm_pv_unhalt - "
            + "kvm_pv_tlb_flush kvm_asyncpf_vmexit kvm_pv_ipi kvm_poll_control kvm_pv_sched_yield kvm_asyncpf_int kvm_msi_ext_dest_id "
            + "kvm_hc_map_gpa_range kvm_migration_control"),
    ];

    /// <summary>Names of the features that <paramref name="wanted"/> has and <paramref name="offered"/> lacks.</summary>
    public static IReadOnlyList<string> Missing(CpuidTable wanted, CpuidTable offered)
    {
        List<string> missing = [];
        foreach (CpuidWord word in Words)
        {
            uint bits = Bits(wanted, word) & ~Bits(offered, word) & word.Mask;
            for (; bits != 0; bits &= bits - 1)
            {
                string name = word.NameOf(BitOperations.TrailingZeroCount(bits));
                if (!missing.Contains(name))
                    missing.Add(name);
            }
        }

        return missing;
    }

    private static uint Bits(CpuidTable table, CpuidWord word) =>
        table.TryFind(word.Function, word.Index, out kvm_cpuid_entry2 leaf) ? word.Read(leaf) : 0;

    private static CpuidWord Word(uint function, uint index, CpuidRegister register, string names) =>
        new(function, index, register, names.Split(' '));
}
