using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Kvm.Colo.Native;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.Kvm.Tests;

[Trait("Category", "RequiresKvm")]
public sealed partial class SnapshotTests
{
    private const uint MsrTsc = 0x10;
    private const uint MsrTscDeadline = 0x6E0;
    private const int LocalVectorTimer = 0x320;
    private const int SpuriousVector = 0xF0;
    private const byte TimerVector = 0x40;

    private const string RealModeGuest = """
        xor %bx,%bx; mov $0x1234567,%eax; mov $0x300,%dx
        1: mov $300,%cx
        2: imul $1103515245,%eax,%eax; add $12345,%eax; mov %eax,%esi; shr $20,%esi; and $0xffc,%si; xor %eax,0x9000(%si); add 0x9000(%si),%ebx
        loop 2b
        xchg %eax,%ebx; out %eax,%dx; xchg %eax,%ebx; jmp 1b
        """;

    // Integer, SSE and memory state all flow into what is written out.
    private const string Ring3Guest = """
        mov $0xD0000000,%ebx; mov $0x5851f42d4c957f2d,%r8; mov $1,%eax; pxor %xmm1,%xmm1
        1: mov $200000,%ecx
        2: imul %r8,%rax; add $0x14057b7e,%rax; movq %rax,%xmm0; paddq %xmm0,%xmm1; pshufd $0x1b,%xmm1,%xmm1
        mov %rax,%rdx; shr $44,%rdx; xor %rax,0x200000(,%rdx,8); add 0x200000(,%rdx,8),%rsi
        dec %ecx; jnz 2b
        movq %xmm1,%rdx; add %rsi,%rdx; mov %rdx,(%rbx); jmp 1b
        """;

    [KvmTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Guest_ContinuesInNewVmsAsIfNothingHadHappened(bool ring3)
    {
        const int Outputs = 60;
        const int MostOfAHop = 10; // also where the kicker is late
        List<ulong> expected = [];
        using (TinyVm undisturbed = Start(ring3))
        {
            while (expected.Count < Outputs)
                RunOnce(undisturbed, expected);
        }

        Random random = new(7);
        List<ulong> output = [];
        TinyVm vm = Start(ring3);
        try
        {
            int hops = 0;
            for (; output.Count < Outputs; hops++)
            {
                // Longer and longer: where a VM begins with slow page faults and the kicker is fast, the guest would not come to its next output.
                int delay = random.Next(100_000) * (1 + (hops / 10));
                KvmVcpu vcpu = vm.Vcpu;
                vcpu.BindToThisThread();
                TestThread kicker = TestThread.Start("kicker", () =>
                {
                    Thread.SpinWait(delay);
                    if (delay % 2 == 0)
                        vcpu.ShareRegisters();
                    vcpu.RequestExit();
                });
                for (int said = 1; RunOnce(vm, output); said++)
                {
                    if (said == MostOfAHop)
                        vcpu.RequestExit();
                }

                kicker.Join(TinyVm.Deadline);
                vm.Vcpu.ClearExitRequest();
                vm = Move(vm);
            }

            Assert.Equal(expected, output.Take(Outputs));
            Assert.True(hops > 3, $"only {hops} hops");
        }
        finally
        {
            vm.Dispose();
        }
    }

    [KvmFact]
    public void State_IsReadBackAsItWasLoaded()
    {
        using TinyVm vm = Start(ring3: true);
        using TinyVm other = new();
        vm.RunTo(ExitReason.Mmio);
        vm.CompletePendingExit();
        (VcpuSnapshot vcpu, VmSnapshot chips) = Save(vm);

        other.Vm.Load(chips);
        other.Vcpu.Load(vcpu);
        (VcpuSnapshot vcpuAgain, VmSnapshot chipsAgain) = Save(other);

        Assert.Equal(0, other.Vcpu.RefusedMsrs);
        Assert.Equal(Bytes(vcpu.Regs), Bytes(vcpuAgain.Regs));
        Assert.Equal(Bytes(vcpu.Sregs), Bytes(vcpuAgain.Sregs));
        Assert.Equal(Bytes(vcpu.Events), Bytes(vcpuAgain.Events));
        Assert.Equal(vcpu.Xsave, vcpuAgain.Xsave);
        Assert.Equal(vcpu.XcrsBytes.ToArray(), vcpuAgain.XcrsBytes.ToArray());
        Assert.Equal(vcpu.DebugRegsBytes.ToArray(), vcpuAgain.DebugRegsBytes.ToArray());
        Assert.Equal(vcpu.LapicBytes.ToArray(), vcpuAgain.LapicBytes.ToArray());
        Assert.Equal(vcpu.MpState.mp_state, vcpuAgain.MpState.mp_state);
        Assert.Equal(MsrsWithoutTsc(vcpu), MsrsWithoutTsc(vcpuAgain));
        for (int chip = 0; chip < VmSnapshot.ChipCount; chip++)
            Assert.Equal(chips.ChipBytes(chip).ToArray(), chipsAgain.ChipBytes(chip).ToArray());
        Assert.True(chipsAgain.Clock.clock >= chips.Clock.clock);
    }

    [KvmTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void SharedRegisters_AreThoseOfTheGuest_Once(bool ring3)
    {
        using TinyVm vm = Start(ring3);
        VcpuSnapshot snapshot = vm.Vcpu.CreateSnapshot();
        vm.Vcpu.BindToThisThread();
        for (int round = 0; round < 20; round++)
        {
            vm.Vcpu.ShareRegisters();
            vm.RunTo(ring3 ? ExitReason.Mmio : ExitReason.PortIo);
            vm.CompletePendingExit();
            vm.Vcpu.Save(snapshot);
            Assert.Equal(Bytes(vm.Vcpu.GetRegs()), Bytes(snapshot.Regs));
            Assert.Equal(Bytes(vm.Vcpu.GetSregs()), Bytes(snapshot.Sregs));

            // Registers that were set after the exit are not hidden by what it left.
            vm.Vcpu.ShareRegisters();
            vm.RunTo(ring3 ? ExitReason.Mmio : ExitReason.PortIo);
            vm.CompletePendingExit();
            kvm_regs changed = vm.Vcpu.GetRegs();
            changed.r15 = (ulong)round + 1;
            vm.Vcpu.SetRegs(changed);
            vm.Vcpu.Save(snapshot);
            Assert.Equal((ulong)round + 1, snapshot.Regs.r15);
        }
    }

    [KvmTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void TscDeadline_SurvivesWhereverItStandsInTheList(bool deadlineFirst)
    {
        using TinyVm vm = new();
        using TinyVm other = new();
        vm.LoadRealMode("1: sti; hlt; jmp 1b");
        (VcpuSnapshot snapshot, _) = Save(vm);
        ulong deadline = ArmDeadline(snapshot, ticks: 1ul << 50, deadlineFirst);

        other.Vcpu.Load(snapshot);
        (VcpuSnapshot loaded, _) = Save(other);

        Assert.Equal(deadline, Msr(loaded, MsrTscDeadline));
        Assert.Equal(TimerVector | (2u << 17), BinaryPrimitives.ReadUInt32LittleEndian(loaded.LapicBytes[LocalVectorTimer..]));
    }

    // A fraction of a second: KVM takes a write of the MSR that is so close for one that only synchronises. The software KVM shows its guests
    // the host's own counter, whatever it is told.
    [FullKvmFact]
    [Trait("Category", "FullKvm")]
    public void Tsc_IsTheSavedOne_HoweverCloseThePresentOneIs()
    {
        const ulong Ahead = 400_000_000;
        using TinyVm vm = new();
        (VcpuSnapshot snapshot, _) = Save(vm);
        int index = Array.FindIndex(snapshot.Msrs, static entry => entry.index == MsrTsc);
        ulong saved = snapshot.Msrs[index].data;

        snapshot.Msrs[index].data = saved + Ahead;
        vm.Vcpu.Load(snapshot);
        ulong later = Msr(Save(vm).Item1, MsrTsc);
        snapshot.Msrs[index].data = saved;
        ulong before = Shim.Tsc();
        vm.Vcpu.Load(snapshot);
        ulong again = Msr(Save(vm).Item1, MsrTsc);
        ulong passed = Shim.Tsc() - before;

        Assert.InRange(later, saved + Ahead, ulong.MaxValue);
        Assert.InRange(again, saved, saved + passed);
    }

    [FullKvmFact]
    [Trait("Category", "FullKvm")]
    public void TscRate_NearTheHostsIsTaken_AndAnotherRefused_WhereNothingScales()
    {
        using TinyVm vm = new();
        uint host = vm.Vm.TscRate.Khz;
        Assert.Equal(host, vm.Vcpu.GetTscKhz());

        vm.Vcpu.SetTscKhz(host - (host / 10_000));

        Assert.Equal(host - (host / 10_000), vm.Vcpu.GetTscKhz());
        if (vm.Vm.TscRate.CanScale)
            vm.Vcpu.SetTscKhz(host / 2);
        else
            Assert.Equal(Errno.EINVAL, Assert.Throws<KvmException>(() => vm.Vcpu.SetTscKhz(host / 2)).Errno);
    }

    [FullKvmFact]
    [Trait("Category", "FullKvm")]
    public void ScaledHostTsc_IsTheHosts_WhereTheRateIs()
    {
        using TinyVm vm = new();
        ulong before = Shim.Tsc();

        ulong scaled = vm.Vcpu.ScaledHostTsc();

        Assert.InRange(scaled, before, Shim.Tsc());
    }

    [KvmFact]
    public void PowerOnMsrs_AreWhatAFirmwareLeaves_AndMemoryTypesAreSaved()
    {
        const uint MiscEnable = 0x1A0;
        const uint MtrrDefault = 0x2FF;
        const uint FirstVariableMtrr = 0x200;
        const ulong Uncacheable = 0xC000_0000;
        using TinyVm vm = new();
        using TinyVm other = new();
        vm.Vcpu.SetPowerOnMsrs();
        (VcpuSnapshot snapshot, _) = Save(vm);
        Assert.Equal((1ul, 0x806ul), (Msr(snapshot, MiscEnable) & 1, Msr(snapshot, MtrrDefault)));

        snapshot.Msrs[IndexOf(snapshot, FirstVariableMtrr)].data = Uncacheable;
        snapshot.Msrs[IndexOf(snapshot, MtrrDefault)].data = 0xC06;
        other.Vcpu.Load(snapshot);
        (VcpuSnapshot loaded, _) = Save(other);

        Assert.Equal(0, other.Vcpu.RefusedMsrs);
        Assert.Equal((Uncacheable, 0xC06ul), (Msr(loaded, FirstVariableMtrr), Msr(loaded, MtrrDefault)));
    }

    [KvmFact]
    public void TscDeadline_WakesTheRestoredGuest()
    {
        using TinyVm vm = new();
        using TinyVm other = new();
        vm.LoadRealMode("1: sti; hlt; jmp 1b; .org 0x200; mov $0x300,%dx; mov $0x77,%al; out %al,%dx");
        vm.Write(TimerVector * 4, [0x00, 0x82, 0, 0]);
        (VcpuSnapshot snapshot, VmSnapshot chips) = Save(vm);
        ArmDeadline(snapshot, ticks: 20_000_000, deadlineFirst: true);
        vm.CopyMemoryTo(other);
        other.Vm.Load(chips);
        other.Vcpu.Load(snapshot);

        other.RunTo(ExitReason.PortIo);

        Assert.Equal(0x77, other.Vcpu.PortIo().Data[0]);
    }

    [KvmFact]
    public void SaveAndLoad_AllocateNothing()
    {
        using TinyVm vm = Start(ring3: true);
        (VcpuSnapshot vcpu, VmSnapshot chips) = Save(vm);
        Exchange(vm, vcpu, chips);
        long before = GC.GetAllocatedBytesForCurrentThread();

        for (int i = 0; i < 200; i++)
            Exchange(vm, vcpu, chips);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    // Vector 7 of a machine whose second PIC asked for an interrupt when it was reset: a kernel that does not use the PICs died of it.
    [KvmFact]
    public void Chips_AreAsLoaded_WhateverTheyAskedForBefore()
    {
        const int Requests = 1; // kvm_pic_state.irr
        using TinyVm vm = new();
        VmSnapshot initial = new(), asking = new(), after = new();
        vm.Vm.Save(initial);
        vm.Vm.Save(asking);
        asking.ChipBytes(1)[Requests] = 1 << 3;
        vm.Vm.Load(asking);

        vm.Vm.Load(initial);

        vm.Vm.Save(after);
        Assert.Equal(initial.ChipBytes(0).ToArray(), after.ChipBytes(0).ToArray());
        Assert.Equal(initial.ChipBytes(1).ToArray(), after.ChipBytes(1).ToArray());
        vm.Vcpu.MarkPaused();
    }

    [KvmFact]
    public void Clock_IsSetToTheValueItself()
    {
        using TinyVm vm = new();
        const ulong Hour = 3_600_000_000_000;

        vm.Vm.SetClock(Hour);

        Assert.InRange(vm.Vm.GetClock(), Hour, Hour + (ulong)(TinyVm.Deadline.TotalSeconds * 1e9));
        vm.Vcpu.MarkPaused();
    }

    private static void Exchange(TinyVm vm, VcpuSnapshot vcpu, VmSnapshot chips)
    {
        vm.Vcpu.Save(vcpu);
        vm.Vm.Save(chips);
        vm.Vm.Load(chips);
        vm.Vcpu.Load(vcpu);
    }

    private static TinyVm Start(bool ring3)
    {
        TinyVm vm = new();
        if (ring3)
            vm.LoadLongMode(Ring3Guest, ring3: true);
        else
            vm.LoadRealMode(RealModeGuest);
        return vm;
    }

    // True when the guest wrote a value, false when it was kicked.
    private static bool RunOnce(TinyVm vm, List<ulong> output)
    {
        if (vm.Run() == Errno.EINTR)
            return false;
        output.Add(vm.Vcpu.ExitReason == ExitReason.PortIo
            ? BinaryPrimitives.ReadUInt32LittleEndian(vm.Vcpu.PortIo().Data)
            : BinaryPrimitives.ReadUInt64LittleEndian(vm.Vcpu.Mmio().Data));
        return true;
    }

    private static TinyVm Move(TinyVm from)
    {
        (VcpuSnapshot vcpu, VmSnapshot chips) = Save(from);
        TinyVm to = new();
        from.CopyMemoryTo(to);
        from.Dispose();
        to.Vm.Load(chips);
        to.Vcpu.Load(vcpu);
        return to;
    }

    private static (VcpuSnapshot Vcpu, VmSnapshot Chips) Save(TinyVm vm)
    {
        VcpuSnapshot vcpu = vm.Vcpu.CreateSnapshot();
        VmSnapshot chips = new();
        vm.Vcpu.Save(vcpu);
        vm.Vm.Save(chips);
        return (vcpu, chips);
    }

    // Puts the local APIC's timer into deadline mode; the guest's own way needs its registers, which real mode cannot reach.
    private static ulong ArmDeadline(VcpuSnapshot snapshot, ulong ticks, bool deadlineFirst)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(snapshot.LapicBytes[SpuriousVector..], 0x1FF);
        BinaryPrimitives.WriteUInt32LittleEndian(snapshot.LapicBytes[LocalVectorTimer..], TimerVector | (2u << 17));
        ulong deadline = Msr(snapshot, MsrTsc) + ticks;
        int at = IndexOf(snapshot, MsrTscDeadline);
        snapshot.Msrs[at].data = deadline;
        int wanted = deadlineFirst ? 0 : snapshot.MsrCount - 1;
        (snapshot.Msrs[at], snapshot.Msrs[wanted]) = (snapshot.Msrs[wanted], snapshot.Msrs[at]);
        return deadline;
    }

    private static ulong Msr(VcpuSnapshot snapshot, uint index) => snapshot.Msrs[IndexOf(snapshot, index)].data;

    private static int IndexOf(VcpuSnapshot snapshot, uint index) =>
        Array.FindIndex(snapshot.Msrs, 0, snapshot.MsrCount, entry => entry.index == index) is >= 0 and int found
            ? found
            : throw new InvalidOperationException($"MSR 0x{index:x} is not in the snapshot");

    private static IEnumerable<(string Index, ulong Value)> MsrsWithoutTsc(VcpuSnapshot snapshot) => snapshot.Msrs.Take(snapshot.MsrCount)
        .Where(entry => entry.index != MsrTsc).OrderBy(entry => entry.index).Select(entry => ($"0x{entry.index:x}", entry.data));

    private static byte[] Bytes<T>(T value)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)).ToArray();
}
