using Kvm.Colo.Native;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.Kvm.Tests;

/// <summary>An exit leaves its instruction half done: state saved or overwritten then is corrupt, so both are refused.</summary>
[Trait("Category", "RequiresKvm")]
public sealed class PendingExitTests
{
    private const string PortGuest = "mov $0x300,%dx; in %dx,%al; mov %al,0x9000; inc %bx; out %al,%dx; mov %bx,%ax; out %ax,%dx";
    private const ulong RipOfIn = TinyVm.RealModeOrigin + 3;

    [KvmFact]
    public void SaveAndLoad_AreRefused_AndWorkOnceTheReadIsComplete()
    {
        using TinyVm vm = new();
        using TinyVm other = new();
        vm.LoadRealMode(PortGuest);
        VcpuSnapshot start = vm.Vcpu.CreateSnapshot();
        vm.Vcpu.Save(start);
        VcpuSnapshot snapshot = vm.Vcpu.CreateSnapshot();
        vm.RunTo(ExitReason.PortIo);
        vm.Vcpu.PortIo().Data[0] = 0x5A;

        // Read now, the registers say that the guest has not read the port: restored, it would read it again and lose this value.
        Assert.Equal(RipOfIn, vm.Vcpu.GetRegs().rip);
        Assert.NotEqual(0x5Aul, vm.Vcpu.GetRegs().rax & 0xFF);
        Assert.Throws<InvalidOperationException>(() => vm.Vcpu.Save(snapshot));
        Assert.Throws<InvalidOperationException>(() => vm.Vcpu.Load(start));

        vm.CompletePendingExit();
        Assert.False(vm.Vcpu.HasPendingExit);
        vm.Vcpu.Save(snapshot);
        Assert.Equal(RipOfIn + 1, snapshot.Regs.rip);
        Assert.Equal(0x5Aul, snapshot.Regs.rax & 0xFF);

        vm.CopyMemoryTo(other);
        other.Vcpu.Load(snapshot);
        AssertTheRest(other);
        AssertTheRest(vm);
    }

    [KvmFact]
    public void Load_AfterTheCompletion_StartsWhereTheSnapshotSays()
    {
        using TinyVm vm = new();
        vm.LoadRealMode(PortGuest);
        VcpuSnapshot start = vm.Vcpu.CreateSnapshot();
        vm.Vcpu.Save(start);
        vm.RunTo(ExitReason.PortIo);
        vm.CompletePendingExit();

        vm.Vcpu.Load(start);

        Assert.Equal(TinyVm.RealModeOrigin, vm.Vcpu.GetRegs().rip);
        vm.RunTo(ExitReason.PortIo);
        Assert.False(vm.Vcpu.PortIo().IsWrite);
        vm.Vcpu.PortIo().Data[0] = 0x5A;
        AssertTheRest(vm);
    }

    [KvmTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void MmioRead_IsCompletedBeforeTheSave(bool ring3)
    {
        using TinyVm vm = new();
        using TinyVm other = new();
        vm.LoadLongMode("mov $0xD0000000,%ebx; mov (%rbx),%rax; inc %rax; mov %rax,(%rbx)", ring3);
        VcpuSnapshot snapshot = vm.Vcpu.CreateSnapshot();
        vm.RunTo(ExitReason.Mmio);
        vm.Vcpu.Mmio().Data.Fill(0x11);
        Assert.Throws<InvalidOperationException>(() => vm.Vcpu.Save(snapshot));

        vm.CompletePendingExit();
        vm.Vcpu.Save(snapshot);
        vm.CopyMemoryTo(other);
        other.Vcpu.Load(snapshot);
        other.RunTo(ExitReason.Mmio);

        Assert.True(other.Vcpu.Mmio().IsWrite);
        Assert.Equal([0x12, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11], other.Vcpu.Mmio().Data.ToArray());
    }

    [KvmFact]
    public void Write_IsNotRepeatedAfterTheSave()
    {
        using TinyVm vm = new();
        using TinyVm other = new();
        vm.LoadRealMode("mov $0x300,%dx; mov $1,%al; out %al,%dx; mov $2,%al; out %al,%dx");
        VcpuSnapshot snapshot = vm.Vcpu.CreateSnapshot();
        vm.RunTo(ExitReason.PortIo);

        vm.CompletePendingExit();
        vm.Vcpu.Save(snapshot);
        vm.CopyMemoryTo(other);
        other.Vcpu.Load(snapshot);
        other.RunTo(ExitReason.PortIo);

        Assert.Equal(2, other.Vcpu.PortIo().Data[0]);
    }

    [KvmFact]
    public void StringRead_IsCompletedInAsManyRoundsAsItTakes()
    {
        using TinyVm vm = new();
        using TinyVm other = new();
        vm.LoadRealMode("xor %ax,%ax; mov %ax,%es; cld; mov $0x9000,%di; mov $0x300,%dx; mov $40,%cx; rep insb; out %al,%dx");
        byte next = 1;
        VcpuSnapshot snapshot = vm.Vcpu.CreateSnapshot();
        vm.RunTo(ExitReason.PortIo);
        Feed(vm, ref next);

        vm.Vcpu.ArmImmediateExit();
        while (vm.Run() == Errno.None)
        {
            Assert.Throws<InvalidOperationException>(() => vm.Vcpu.Save(snapshot));
            Feed(vm, ref next);
        }

        vm.Vcpu.ClearExitRequest();
        vm.Vcpu.Save(snapshot);
        vm.CopyMemoryTo(other);
        other.Vcpu.Load(snapshot);
        for (other.RunTo(ExitReason.PortIo); !other.Vcpu.PortIo().IsWrite; other.RunTo(ExitReason.PortIo))
            Feed(other, ref next);

        for (int i = 0; i < 40; i++)
            Assert.Equal(i + 1, other.Read<byte>(0x9000 + (ulong)i));
    }

    [KvmFact]
    public void RegisterWrites_AreRefusedToo()
    {
        using TinyVm vm = new();
        vm.LoadRealMode(PortGuest);
        kvm_regs regs = vm.Vcpu.GetRegs();
        kvm_sregs2 sregs = vm.Vcpu.GetSregs();
        vm.RunTo(ExitReason.PortIo);

        Assert.Throws<InvalidOperationException>(() => vm.Vcpu.SetRegs(regs));
        Assert.Throws<InvalidOperationException>(() => vm.Vcpu.SetSregs(sregs));

        vm.CompletePendingExit();
        vm.Vcpu.SetSregs(sregs);
        vm.Vcpu.SetRegs(regs);
        vm.RunTo(ExitReason.PortIo);
        Assert.Equal(RipOfIn, vm.Vcpu.GetRegs().rip);
    }

    private static void Feed(TinyVm vm, ref byte next)
    {
        foreach (ref byte item in vm.Vcpu.PortIo().Data)
            item = next++;
    }

    private static void AssertTheRest(TinyVm vm)
    {
        vm.RunTo(ExitReason.PortIo);
        Assert.Equal(0x5A, vm.Vcpu.PortIo().Data[0]);
        Assert.Equal(0x5A, vm.Read<byte>(0x9000));
        vm.RunTo(ExitReason.PortIo);
        Assert.Equal([1, 0], vm.Vcpu.PortIo().Data.ToArray());
    }
}
