using System.Buffers.Binary;
using Kvm.Colo.Memory;
using Kvm.Colo.Native;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.Kvm.Tests;

[Trait("Category", "RequiresKvm")]
public sealed class ExitTests
{
    private static readonly string s_pic = """
        mov $0x11,%al; out %al,$0x20
        mov $0x20,%al; out %al,$0x21
        mov $0x04,%al; out %al,$0x21
        mov $0x01,%al; out %al,$0x21
        mov $0xef,%al; out %al,$0x21
        """; // vectors from 0x20, only IRQ 4 let through

    [KvmFact]
    public void PortAccess_IsAViewOfTheRunPage()
    {
        using TinyVm vm = new();
        vm.LoadRealMode("mov $0x3f8,%dx; in %dx,%al; inc %al; out %al,%dx; in %dx,%ax; out %eax,%dx");

        vm.RunTo(ExitReason.PortIo);
        Assert.Equal((0x3F8, false, 1, 1, 1), Describe(vm.Vcpu.PortIo()));
        Assert.True(vm.Vcpu.HasPendingExit);
        vm.Vcpu.PortIo().Data[0] = 0x41;
        vm.RunTo(ExitReason.PortIo);
        Assert.Equal((0x3F8, true, 1, 1, 1), Describe(vm.Vcpu.PortIo()));
        Assert.Equal(0x42, vm.Vcpu.PortIo().Data[0]);
        vm.RunTo(ExitReason.PortIo);
        Assert.Equal((0x3F8, false, 2, 1, 2), Describe(vm.Vcpu.PortIo()));
        BinaryPrimitives.WriteUInt16LittleEndian(vm.Vcpu.PortIo().Data, 0xBEEF);
        vm.RunTo(ExitReason.PortIo);
        Assert.Equal((0x3F8, true, 4, 1, 4), Describe(vm.Vcpu.PortIo()));
        Assert.Equal(0xBEEF, BinaryPrimitives.ReadUInt16LittleEndian(vm.Vcpu.PortIo().Data));
    }

    [KvmFact]
    public void RealModeMmio_IsAViewOfTheRunPage()
    {
        using TinyVm vm = new(ramBytes: 1 << 20);
        vm.LoadRealMode("mov $0xffff,%ax; mov %ax,%es; movw $0x5aa5,%es:0x10; mov %es:0x18,%ebx; mov %bl,%es:0x20");

        vm.RunTo(ExitReason.Mmio);
        Assert.Equal((0x10_0000ul, true, 2), Describe(vm.Vcpu.Mmio()));
        Assert.Equal([0xA5, 0x5A], vm.Vcpu.Mmio().Data.ToArray());
        vm.RunTo(ExitReason.Mmio);
        Assert.Equal((0x10_0008ul, false, 4), Describe(vm.Vcpu.Mmio()));
        BinaryPrimitives.WriteUInt32LittleEndian(vm.Vcpu.Mmio().Data, 0x1234_5678);
        vm.RunTo(ExitReason.Mmio);
        Assert.Equal((0x10_0010ul, true, 1), Describe(vm.Vcpu.Mmio()));
        Assert.Equal(0x78, vm.Vcpu.Mmio().Data[0]);
    }

    [KvmTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void LongModeMmio_ComesInEverySize(bool ring3)
    {
        using TinyVm vm = new();
        vm.LoadLongMode("""
            mov $0xD0000000,%ebx
            mov 8(%rbx),%rax
            mov %al,(%rbx); mov %ax,(%rbx); mov %eax,(%rbx); mov %rax,(%rbx)
            """, ring3);

        vm.RunTo(ExitReason.Mmio);
        Assert.Equal((TinyVm.MmioAddress + 8, false, 8), Describe(vm.Vcpu.Mmio()));
        BinaryPrimitives.WriteUInt64LittleEndian(vm.Vcpu.Mmio().Data, 0x1122_3344_5566_7788);
        foreach (int size in (ReadOnlySpan<int>)[1, 2, 4, 8])
        {
            vm.RunTo(ExitReason.Mmio);
            Assert.Equal((TinyVm.MmioAddress, true, size), Describe(vm.Vcpu.Mmio()));
            byte[] expected = [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11];
            Assert.Equal(expected[..size], vm.Vcpu.Mmio().Data.ToArray());
        }
    }

    [KvmFact]
    public void StringPortAccess_MovesEveryByteInOrder()
    {
        using TinyVm vm = new();
        vm.LoadRealMode("""
            xor %ax,%ax; mov %ax,%ds; mov %ax,%es; cld
            mov $0x9000,%di; mov $0x300,%dx; mov $40,%cx; rep insb
            mov $0x9000,%si; mov $0x301,%dx; mov $40,%cx; rep outsb
            mov $0x302,%dx; out %al,%dx
            """);
        byte next = 0;
        List<byte> output = [];

        while (true)
        {
            vm.RunTo(ExitReason.PortIo);
            PortIoExit exit = vm.Vcpu.PortIo();
            Assert.Equal(exit.Size * exit.Count, exit.Data.Length);
            if (exit.Port == 0x302)
                break;
            if (exit.IsWrite)
            {
                output.AddRange(exit.Data.ToArray());
                continue;
            }

            foreach (ref byte item in exit.Data)
                item = next++;
        }

        Assert.Equal(Enumerable.Range(0, 40).Select(i => (byte)i), output);
    }

    [KvmFact]
    public void HaltedGuest_WakesByAnInterruptLine()
    {
        using TinyVm vm = new();
        vm.LoadRealMode(s_pic + """

            mov $0x300,%dx; xor %ax,%ax; out %al,%dx
            1: sti; hlt; jmp 1b
            .org 0x200
            mov $0x301,%dx; mov $0x77,%al; out %al,%dx
            """);
        vm.Write(0x24 * 4, [0x00, 0x82, 0, 0]);
        vm.RunTo(ExitReason.PortIo);
        long tid = vm.Vcpu.ThreadId;
        TestThread raiser = TestThread.Start("raiser", () =>
        {
            Assert.True(SpinWait.SpinUntil(() => IsAsleep(tid), TinyVm.Deadline));
            vm.Vm.SetInterruptLine(4, true);
            vm.Vm.SetInterruptLine(4, false);
        });

        vm.RunTo(ExitReason.PortIo);

        raiser.Join(TinyVm.Deadline);
        Assert.Equal((0x301, true, 1, 1, 1), Describe(vm.Vcpu.PortIo()));
        Assert.Equal(0x77, vm.Vcpu.PortIo().Data[0]);
    }

    [KvmFact]
    public void TripleFault_IsAShutdown()
    {
        using TinyVm vm = new();
        vm.LoadLongMode("lidt none(%rip); ud2; none: .fill 10", ring3: false);

        vm.RunTo(ExitReason.Shutdown);

        Assert.False(vm.Vcpu.HasPendingExit);
    }

    [KvmFact]
    public void UnknownInstruction_ShowsItsBytes_WhereRing0IsEmulated()
    {
        using TinyVm vm = new();
        vm.LoadRealMode("mov $7,%bx; popcnt %bx,%ax; mov $0x300,%dx; out %al,%dx");
        if (!vm.System.IsSoftwareKvm)
        {
            vm.RunTo(ExitReason.PortIo);
            Assert.Equal(3, vm.Vcpu.PortIo().Data[0]);
            return;
        }

        vm.RunTo(ExitReason.InternalError);

        InternalErrorExit error = vm.Vcpu.InternalError();
        Assert.Equal(InternalErrorExit.Emulation, error.Suberror);
        Assert.Equal([0xF3, 0x0F, 0xB8, 0xC3], error.Instruction[..4].ToArray());
    }

    [KvmFact]
    public void IoEvent_TakesTheExitsPlace_UntilItIsTakenAway()
    {
        using TinyVm vm = new();
        vm.LoadLongMode("mov $0xD0000050,%ebx; mov $0x300,%edx; 1: movl $5,(%rbx); out %al,%dx; jmp 1b", ring3: false);
        using SafeDescriptor signal = SafeDescriptor.From("eventfd", Shim.EventFd(0));
        GuestPhysicalAddress at = new(0xD000_0050);
        vm.Vm.AssignIoEvent(at, 4, 5, signal, assign: true);

        vm.RunTo(ExitReason.PortIo);
        Assert.Equal(1, Shim.Poll(signal, 1, 0));
        vm.Vm.AssignIoEvent(at, 4, 5, signal, assign: false);
        vm.RunTo(ExitReason.Mmio);

        Assert.Equal((at.Value, true, 4), Describe(vm.Vcpu.Mmio()));
    }

    [KvmFact]
    public void WaitingVcpu_AnswersAKick()
    {
        using TinyVm vm = new(vcpus: 2);
        KvmVcpu waiting = vm.Vcpus[1];
        using ManualResetEventSlim bound = new();
        TestThread thread = TestThread.Start("vcpu-1", () =>
        {
            waiting.BindToThisThread();
            bound.Set();
            Errno errno;
            do
                errno = waiting.TryRun();
            while (errno == Errno.EAGAIN);
            Assert.Equal(Errno.EINTR, errno);
        });
        Assert.True(bound.Wait(TinyVm.Deadline));

        waiting.RequestExit();

        thread.Join(TinyVm.Deadline);
    }

    [KvmFact]
    public void Exits_AllocateNothing()
    {
        using TinyVm vm = new();
        vm.LoadLongMode("mov $0xD0000000,%ebx; mov $0x300,%edx; 1: out %al,%dx; in %dx,%al; mov %rax,(%rbx); mov (%rbx),%rax; jmp 1b",
            ring3: false);
        vm.Vcpu.BindToThisThread();
        Exchange(vm.Vcpu, 100);
        long before = GC.GetAllocatedBytesForCurrentThread();

        Exchange(vm.Vcpu, 10_000);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void Exchange(KvmVcpu vcpu, int exits)
    {
        for (int i = 0; i < exits; i++)
        {
            Errno errno;
            do
                errno = vcpu.TryRun();
            while (errno == Errno.EINTR); // a signal of the runtime's
            if (errno != Errno.None)
                throw new InvalidOperationException($"{errno}");
            if (vcpu.ExitReason == ExitReason.PortIo && vcpu.PortIo() is { IsWrite: false } port)
                port.Data.Clear();
            else if (vcpu.ExitReason == ExitReason.Mmio && vcpu.Mmio() is { IsWrite: false } mmio)
                mmio.Data.Clear();
        }
    }

    private static bool IsAsleep(long tid)
    {
        string stat = File.ReadAllText($"/proc/self/task/{tid}/stat");
        return stat[stat.LastIndexOf(')') + 2] == 'S';
    }

    private static (int Port, bool IsWrite, int Size, int Count, int Bytes) Describe(PortIoExit exit) =>
        (exit.Port, exit.IsWrite, exit.Size, exit.Count, exit.Data.Length);

    private static (ulong Address, bool IsWrite, int Bytes) Describe(MmioExit exit) => (exit.Address, exit.IsWrite, exit.Data.Length);
}
