using Kvm.Colo.Native;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.Kvm.Tests;

public sealed class CpuBaselineTests
{
    private const uint IntelEbx = 0x756E_6547;

    [Fact]
    public void For_IsTheSame_WhateverElseTheHostOffers()
    {
        CpuidTable rich = CpuBaseline.For(Host(0, 0));
        CpuidTable poor = CpuBaseline.For(new CpuidTable([.. Host(0, 0).Entries.ToArray().Where(static leaf => leaf.function != 7)]));

        Assert.Equal(rich.Entries.ToArray(), poor.Entries.ToArray());
        Assert.Empty(CpuidFeatures.Missing(rich, Host(0, 0)));
    }

    [Theory]
    [InlineData(20, "sse4_2")]
    [InlineData(23, "popcnt")]
    public void For_NamesWhatTheHostLacks(int bit, string name)
    {
        KvmUnavailableException failure = Assert.Throws<KvmUnavailableException>(() => CpuBaseline.For(Host(1u << bit, 0)));

        Assert.Equal($"this host lacks {name} of the baseline CPU (use --cpu host)", failure.Message);
    }

    [Fact]
    public void For_RefusesAHostWithFewPhysicalAddresses()
    {
        CpuidTable small = Host(0, 0, physicalBits: 36);

        Assert.Contains("36 bits", Assert.Throws<KvmUnavailableException>(() => CpuBaseline.For(small)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void For_ShowsNoExtendedState()
    {
        CpuidTable table = CpuBaseline.For(Host(0, 0)).ForVcpu(0, 2);

        Assert.True(table.TryFind(1, 0, out kvm_cpuid_entry2 features));
        Assert.Equal(0u, features.ecx & ((1u << 26) | (1u << 27) | (1u << 28)));
        Assert.False(table.TryFind(0xD, 0, out _));
        Assert.True(table.TryFind(0xB, 1, out kvm_cpuid_entry2 cores));
        Assert.Equal(2u, cores.ebx);
        Assert.Equal(CpuBaseline.PhysicalAddressBits, table.PhysicalAddressBits);
    }

    [Fact]
    public void Missing_NamesEveryFeatureOnce_AndPlacesThatHaveNoName()
    {
        CpuidTable wanted = new([Leaf(1) with { edx = 1 << 4 }, Leaf(0x8000_0001) with { edx = 1 << 4 }, Leaf(7) with { ecx = 1u << 27 }]);

        Assert.Equal(["tsc", "leaf 0x7.0 ecx bit 27"], CpuidFeatures.Missing(wanted, new CpuidTable([])));
    }

    [Fact]
    public void Missing_LeavesOutWhatAGuestTurnsOnItself()
    {
        CpuidTable wanted = new([Leaf(1) with { ecx = (1u << 27) | (1u << 31) | (1u << 24), edx = 1u << 28 }]);

        Assert.Empty(CpuidFeatures.Missing(wanted, new CpuidTable([])));
    }

    [KvmFact]
    [Trait("Category", "RequiresKvm")]
    public void ThisHost_GivesTheBaselineOrSaysWhatItLacks()
    {
        using KvmSystem system = KvmSystem.Open();
        CpuidTable supported = system.GetSupportedCpuid();
        try
        {
            using KvmVm vm = system.CreateVm();
            vm.CreateInterruptChips();
            using KvmVcpu vcpu = vm.CreateVcpu(0);
            vcpu.SetCpuid(system.GetCpuid(CpuModel.Baseline).ForVcpu(0, 1));
        }
        catch (KvmUnavailableException e)
        {
            Assert.Contains("this host lacks", e.Message, StringComparison.Ordinal);
        }

        Assert.Empty(CpuidFeatures.Missing(supported, supported));
    }

    private static CpuidTable Host(uint without1Ecx, uint without1Edx, uint physicalBits = 46) => new(
    [
        Leaf(0) with { eax = 0x20, ebx = IntelEbx, ecx = 0x6C65_746E, edx = 0x4965_6E69 },
        Leaf(1) with { ecx = ~without1Ecx, edx = ~without1Edx },
        Leaf(7) with { ebx = uint.MaxValue },
        Leaf(0x4000_0001) with { eax = uint.MaxValue },
        Leaf(0x8000_0001) with { ecx = uint.MaxValue, edx = uint.MaxValue },
        Leaf(0x8000_0008) with { eax = physicalBits },
    ]);

    private static kvm_cpuid_entry2 Leaf(uint function) => new() { function = function };
}
