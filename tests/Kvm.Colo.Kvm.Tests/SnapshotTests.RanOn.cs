using System.Buffers.Binary;
using System.Diagnostics;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.Kvm.Tests;

/// <content>Guests that have run on elsewhere between save and load.</content>
public sealed partial class SnapshotTests
{
    [KvmFact]
    public void GuestThatRanOnElsewhere_IsLoadedAsItIsByNow()
    {
        const ulong Passed = 2_000_000_000;
        const uint Count = 4_000_000_000;
        using TinyVm vm = new();
        (VcpuSnapshot vcpu, VmSnapshot chips) = Save(vm);
        BinaryPrimitives.WriteUInt32LittleEndian(vcpu.LapicBytes[SpuriousVector..], 0x1FF);
        foreach ((int at, uint value) in (ReadOnlySpan<(int, uint)>)[(LocalVectorTimer, TimerVector), (0x380, Count), (0x390, Count), (0x3E0, 0xB)])
            BinaryPrimitives.WriteUInt32LittleEndian(vcpu.LapicBytes[at..], value);

        vm.Vm.RanOnSince = Stopwatch.GetTimestamp() - (2 * Stopwatch.Frequency);
        vm.Vm.Load(chips);
        vm.Vcpu.Load(vcpu);
        (VcpuSnapshot later, VmSnapshot laterChips) = Save(vm);
        ulong most = (ulong)Stopwatch.GetElapsedTime(vm.Vm.RanOnSince).Ticks * TimeSpan.NanosecondsPerTick;

        Assert.InRange(laterChips.Clock.clock - chips.Clock.clock, Passed, most);
        Assert.InRange(Count - BinaryPrimitives.ReadUInt32LittleEndian(later.LapicBytes[0x390..]), Passed, most);
        Assert.Equal(Count, BinaryPrimitives.ReadUInt32LittleEndian(vcpu.LapicBytes[0x390..]));
    }

    [FullKvmFact]
    [Trait("Category", "FullKvm")]
    public void TscOfAGuestThatRanOnElsewhere_IsThePresentOne()
    {
        using TinyVm vm = new();
        (VcpuSnapshot snapshot, _) = Save(vm);
        ulong hertz = vm.Vm.TscRate.Khz * 1000ul;

        vm.Vm.RanOnSince = Stopwatch.GetTimestamp() - (100 * Stopwatch.Frequency);
        vm.Vcpu.Load(snapshot);
        ulong now = Msr(Save(vm).Item1, MsrTsc);

        double seconds = (double)(now - Msr(snapshot, MsrTsc)) / hertz;
        Assert.InRange(seconds, 99.9, Stopwatch.GetElapsedTime(vm.Vm.RanOnSince).TotalSeconds + 0.1);
    }
}
