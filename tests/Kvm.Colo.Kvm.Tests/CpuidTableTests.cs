using System.Runtime.InteropServices;
using System.Text;
using Kvm.Colo.Native;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.Kvm.Tests;

public sealed class CpuidTableTests
{
    private static readonly CpuidTable s_everything = new(
    [
        Leaf(0), Leaf(1), Leaf(4, 0), Leaf(4, 1), Leaf(6), Leaf(7, 0), Leaf(7, 1), Leaf(0xA), Leaf(0xB, 0), Leaf(0x1F, 0),
        Leaf(0x8000_0001), Leaf(0x8000_0008), Leaf(0x8000_001E),
    ]);

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(4, 2)]
    [InlineData(8, 3)]
    [InlineData(16, 4)]
    public void Topology_IsOnePackageOfCores(int count, int idBits)
    {
        for (int index = 0; index < count; index++)
        {
            CpuidTable table = s_everything.ForVcpu(index, count);

            kvm_cpuid_entry2 features = Find(table, 1);
            Assert.Equal(((uint)index, (uint)count), (features.ebx >> 24, features.ebx >> 16 & 0xFF));
            Assert.Equal(count > 1, (features.edx & (1u << 28)) != 0);
            AssertTopologyLeaf(table, 0xB, index, count, idBits);
            AssertTopologyLeaf(table, 0x1F, index, count, idBits);
            Assert.Equal((uint)(count - 1), Find(table, 4, 0).eax >> 26);
            uint sizes = Find(table, 0x8000_0008).ecx;
            Assert.Equal(((uint)(count - 1), (uint)idBits), (sizes & 0xFF, sizes >> 12 & 0xF));
            Assert.Equal(((uint)index, (uint)index), (Find(table, 0x8000_001E).eax, Find(table, 0x8000_001E).ebx & 0xFFFF));
        }
    }

    [Fact]
    public void Features_ThatCannotMoveAreTakenOut()
    {
        CpuidTable table = s_everything.ForVcpu(0, 1);

        kvm_cpuid_entry2 features = Find(table, 1);
        Assert.Equal((1u << 31) | (1u << 24), features.ecx & ((1u << 31) | (1u << 24)));
        Assert.Equal(0u, features.ecx & ((1u << 15) | (1u << 5)));
        Assert.Equal(0u, Find(table, 6).eax & 2);
        Assert.Equal(0u, Find(table, 6).ecx & 8);
        Assert.Equal(0u, Find(table, 7, 0).ecx & (1u << 5));
        Assert.Equal(0u, Find(table, 7, 0).edx & ((1u << 22) | (1u << 24) | (1u << 25)));
        Assert.Equal(uint.MaxValue, Find(table, 7, 1).edx);
        Assert.Equal((0u, 0u), (Find(table, 0xA).eax, Find(table, 0xA).edx));
        Assert.Equal(0u, Find(table, 0x8000_0001).ecx & 4);
        Assert.Equal(uint.MaxValue, Find(table, 0).eax);
    }

    [Fact]
    public void ForVcpu_LeavesTheOriginalAlone()
    {
        kvm_cpuid_entry2[] before = s_everything.Entries.ToArray();

        _ = s_everything.ForVcpu(3, 4);

        Assert.Equal(before, s_everything.Entries.ToArray());
    }

    [Fact]
    public void WithNames_FillsWhatIsEmptyOrMissing()
    {
        CpuidTable table = new(
        [
            Leaf(0x8000_0000) with { eax = 0x8000_0008 },
            new kvm_cpuid_entry2 { function = 0x8000_0002 },
            new kvm_cpuid_entry2 { function = 0x8000_0003, edx = 7 },
        ]);

        CpuidTable named = table.WithNames(static function => (function, 1, 2, 3));

        Assert.Equal((0x8000_0002u, 1u, 2u, 3u), Registers(Find(named, 0x8000_0002)));
        Assert.Equal((0u, 0u, 0u, 7u), Registers(Find(named, 0x8000_0003)));
        Assert.Equal((0x8000_0004u, 1u, 2u, 3u), Registers(Find(named, 0x8000_0004)));
        Assert.Equal((0x8000_0005u, 1u, 2u, 3u), Registers(Find(named, 0x8000_0005)));
    }

    [KvmFact]
    [Trait("Category", "RequiresKvm")]
    public void HostModel_HasTheHostsName()
    {
        using KvmSystem system = KvmSystem.Open();
        CpuidTable table = system.GetCpuid(CpuModel.Host);
        uint[] words = [.. ((uint[])[0x8000_0002, 0x8000_0003, 0x8000_0004])
            .Select(function => Find(table, function)).SelectMany(static leaf => (uint[])[leaf.eax, leaf.ebx, leaf.ecx, leaf.edx])];

        string name = Encoding.ASCII.GetString(MemoryMarshal.AsBytes(words.AsSpan())).TrimEnd('\0').Trim();

        Assert.Contains($": {name}\n", File.ReadAllText("/proc/cpuinfo"), StringComparison.Ordinal);
        Assert.NotEmpty(name);
    }

    [KvmTheory]
    [Trait("Category", "RequiresKvm")]
    [InlineData(1, 0)]
    [InlineData(3, 2)]
    [InlineData(16, 4)]
    public void ThisHostsTable_GivesTheSameTopology_AndIsAccepted(int count, int idBits)
    {
        using KvmSystem system = KvmSystem.Open();
        using KvmVm vm = system.CreateVm();
        vm.CreateInterruptChips();
        for (int index = 0; index < count; index++)
        {
            CpuidTable table = system.GetSupportedCpuid().ForVcpu(index, count);
            AssertTopologyLeaf(table, 0xB, index, count, idBits);
            using KvmVcpu vcpu = vm.CreateVcpu(index);
            vcpu.SetCpuid(table);
        }
    }

    [KvmFact]
    [Trait("Category", "RequiresKvm")]
    public void Guest_SeesItsTopology()
    {
        using TinyVm vm = new(vcpus: 3);
        vm.LoadRealMode("mov $0xb,%eax; mov $1,%ecx; cpuid; mov $0x300,%dx; out %eax,%dx; mov %ebx,%eax; out %eax,%dx");

        vm.RunTo(ExitReason.PortIo);
        Assert.Equal(2, vm.Vcpu.PortIo().Data[0]);
        vm.RunTo(ExitReason.PortIo);
        Assert.Equal(3, vm.Vcpu.PortIo().Data[0]);
    }

    private static void AssertTopologyLeaf(CpuidTable table, uint function, int index, int count, int idBits)
    {
        const uint SmtLevel = 0x100;
        const uint CoreLevel = 0x201;
        kvm_cpuid_entry2 threads = Find(table, function, 0);
        Assert.Equal((0u, 1u, SmtLevel, (uint)index), (threads.eax, threads.ebx, threads.ecx, threads.edx));
        kvm_cpuid_entry2 cores = Find(table, function, 1);
        Assert.Equal(((uint)idBits, (uint)count, CoreLevel, (uint)index), (cores.eax, cores.ebx, cores.ecx, cores.edx));
        Assert.All(table.Entries.ToArray().Where(entry => entry.function == function), entry =>
        {
            Assert.Equal(KvmConstants.KVM_CPUID_FLAG_SIGNIFCANT_INDEX, entry.flags);
            if (entry.index > 1)
                Assert.Equal((0u, 0u, entry.index, (uint)index), (entry.eax, entry.ebx, entry.ecx, entry.edx));
        });
    }

    private static (uint Eax, uint Ebx, uint Ecx, uint Edx) Registers(kvm_cpuid_entry2 leaf) => (leaf.eax, leaf.ebx, leaf.ecx, leaf.edx);

    private static kvm_cpuid_entry2 Find(CpuidTable table, uint function, uint index = 0) =>
        Assert.Single(table.Entries.ToArray(), entry => entry.function == function && entry.index == index);

    private static kvm_cpuid_entry2 Leaf(uint function, uint? index = null) => new()
    {
        function = function,
        index = index ?? 0,
        flags = index is null ? 0 : KvmConstants.KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
        eax = uint.MaxValue,
        ebx = uint.MaxValue,
        ecx = uint.MaxValue,
        edx = uint.MaxValue,
    };
}
