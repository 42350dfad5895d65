using System.Diagnostics;
using Kvm.Colo.Memory;
using Kvm.Colo.Native;
using Kvm.Colo.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Kvm.Colo.Kvm.Tests;

/// <summary>
/// A replica is kept only from what the logs report, while the guest and the VMM write; in the end it must equal the guest's RAM.
/// </summary>
[Trait("Category", "RequiresKvm")]
public sealed class DirtyLogTests(ITestOutputHelper output)
{
    private const ulong VmmTarget = 8ul << 20;
    private const ulong RamBytes = GuestMemory.LowRamLimit + (32ul << 20);
    private const int Rounds = 150;

    // Stores at random into 8,192 pages from 16 MiB and 8,192 pages from 4 GiB.
    private const string Ring3Writer = """
        mov $0x5851f42d4c957f2d,%r8; mov $1,%eax; mov $0x1000000,%r9d; mov $0x100000000,%r10
        1: imul %r8,%rax; add $0x14057b7e,%rax; mov %rax,%rdx; shr $40,%rdx; and $0x1fff,%edx; shl $12,%rdx
        mov %rax,(%r9,%rdx); mov %rax,8(%r10,%rdx)
        jmp 1b
        """;

    // Stores into 144 pages from 64 KiB.
    private const string RealModeWriter = """
        xor %eax,%eax; mov $0x1000,%bx
        1: mov %bx,%es; inc %eax; mov %eax,%es:0x10; add $0x100,%bx; cmp $0xa000,%bx; jne 1b; mov $0x1000,%bx; jmp 1b
        """;

    [KvmTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Bitmap_ReportsEveryChangedPage(bool ring3)
    {
        using TinyVm vm = Start(ring3);
        using KvmDirtyBitmapLog log = new(vm.Vm, vm.Memory);
        Assert.Equal("bitmap", log.Kind);

        KeepAReplica(vm, log);
    }

    [FullKvmFact]
    [Trait("Category", "FullKvm")]
    public void Ring_ReportsEveryChangedPage()
    {
        const uint RingBytes = 1 << 16;
        using TinyVm vm = Start(ring3: true, RingBytes);
        using KvmDirtyRingLog log = new(vm.Vm, vm.Memory, vm.Vcpus);
        Assert.Equal("ring", log.Kind);

        KeepAReplica(vm, log);
    }

    [KvmFact]
    public void Start_BeginsEmpty_AndStopForgets()
    {
        using TinyVm vm = new();
        vm.LoadLongMode("mov $0x1000000-4096,%ebx; mov $0xD0000000,%edx; 1: incl (%rbx); sub $4096,%rbx; mov %eax,(%rdx); jmp 1b", ring3: true);
        using KvmDirtyBitmapLog log = new(vm.Vm, vm.Memory);
        using PageBitmap dirty = new(vm.Memory.PageCount);
        ulong last = vm.Memory.PageCount - 1;

        vm.RunTo(ExitReason.Mmio);
        log.Harvest(dirty);
        Assert.Equal(0ul, dirty.CountSet());
        Assert.False(log.IsLogging);

        log.Start();
        log.Start();
        Assert.True(log.IsLogging);
        log.Harvest(dirty);
        Assert.Equal(0ul, dirty.CountSet());
        vm.RunTo(ExitReason.Mmio);
        log.Harvest(dirty);
        Assert.True(dirty.IsSet(last - 1));
        Assert.False(dirty.IsSet(last));

        vm.RunTo(ExitReason.Mmio);
        log.Stop();
        log.Start();
        dirty.ClearAll();
        log.Harvest(dirty);
        Assert.Equal(0ul, dirty.CountSet());
        vm.RunTo(ExitReason.Mmio);
        log.Harvest(dirty);
        Assert.True(dirty.IsSet(last - 3));
        Assert.False(dirty.IsSet(last - 2));
    }

    [KvmFact]
    public void Harvest_AllocatesNothing()
    {
        using TinyVm vm = Start(ring3: true);
        using KvmDirtyBitmapLog log = new(vm.Vm, vm.Memory);
        using PageBitmap dirty = new(vm.Memory.PageCount);
        log.Start();
        log.Harvest(dirty);
        long before = GC.GetAllocatedBytesForCurrentThread();

        for (int i = 0; i < 100; i++)
            log.Harvest(dirty);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private void KeepAReplica(TinyVm vm, IDirtyLog log)
    {
        using GuestMemory replica = GuestMemory.Create(vm.Memory.SizeBytes);
        using PageBitmap dirty = new(vm.Memory.PageCount);
        using ManualResetEventSlim bound = new();
        bool stop = false;
        TestThread runner = TestThread.Start("vcpu-0", () => RunUntil(vm.Vcpu, log, bound, ref stop));
        Assert.True(bound.Wait(TinyVm.Deadline));
        ulong copied = 0;
        long start = Stopwatch.GetTimestamp();
        Random random = new(3);
        for (int life = 0; life < 2; life++)
        {
            log.Start(); // with the guest running, as a migration starts it
            vm.Memory.DeviceDirty.ClearAll();
            for (ulong page = vm.Memory.NextPopulated(0); page < vm.Memory.PageCount; page = vm.Memory.NextPopulated(page + 1))
                replica.WriteCommittedPage(page, vm.Memory.Page(page));

            // On a busy host the guest may need longer than the rounds to be seen at work.
            for (int round = 0; round < Rounds || (copied <= Populated(vm.Memory) && Stopwatch.GetElapsedTime(start) < TinyVm.Deadline); round++)
            {
                vm.Write(VmmTarget + ((ulong)random.Next(1024) << 12), BitConverter.GetBytes(random.NextInt64()));
                log.Harvest(dirty);
                dirty.TakeFrom(vm.Memory.DeviceDirty);
                copied += Copy(vm.Memory, replica, dirty);
            }

            if (life == 0)
                log.Stop();
        }

        Volatile.Write(ref stop, true);
        vm.Vcpu.RequestExit();
        runner.Join(TinyVm.Deadline);
        log.Harvest(dirty);
        dirty.TakeFrom(vm.Memory.DeviceDirty);
        copied += Copy(vm.Memory, replica, dirty);

        ulong compared = 0;
        for (ulong page = vm.Memory.NextPopulated(0); page < vm.Memory.PageCount; page = vm.Memory.NextPopulated(page + 1))
        {
            Assert.True(vm.Memory.Page(page).SequenceEqual(replica.Page(page)), $"page {page} changed unreported");
            compared++;
        }

        output.WriteLine($"{log.Kind}: {copied} pages copied in {2 * Rounds} rounds, {compared} compared");
        Assert.True(copied > compared, "the guest rewrote nothing while it was watched");
    }

    private static ulong Populated(GuestMemory memory)
    {
        ulong count = 0;
        for (ulong page = memory.NextPopulated(0); page < memory.PageCount; page = memory.NextPopulated(page + 1))
            count++;
        return count;
    }

    private static void RunUntil(KvmVcpu vcpu, IDirtyLog log, ManualResetEventSlim bound, ref bool stop)
    {
        vcpu.BindToThisThread();
        bound.Set();
        while (!Volatile.Read(ref stop))
        {
            Errno errno = vcpu.TryRun();
            if (errno == Errno.None && vcpu.ExitReason == ExitReason.DirtyRingFull)
                log.OnRingFull(vcpu.Index);
            else if (errno != Errno.EINTR)
                throw new InvalidOperationException($"{errno}, exit {vcpu.ExitReason}, RIP 0x{vcpu.GetRegs().rip:x}");
        }
    }

    private static ulong Copy(GuestMemory from, GuestMemory to, PageBitmap dirty)
    {
        ulong count = 0;
        for (ulong page = dirty.NextSet(0); page < dirty.PageCount; page = dirty.NextSet(page + 1))
        {
            to.WriteCommittedPage(page, from.Page(page));
            count++;
        }

        dirty.ClearAll();
        return count;
    }

    private static TinyVm Start(bool ring3, uint dirtyRingBytes = 0)
    {
        TinyVm vm = new(RamBytes, dirtyRingBytes: dirtyRingBytes);
        if (ring3)
            vm.LoadLongMode(Ring3Writer, ring3: true);
        else
            vm.LoadRealMode(RealModeWriter);
        return vm;
    }
}
