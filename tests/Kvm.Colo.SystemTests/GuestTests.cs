using System.IO.Hashing;
using System.Text;
using Kvm.Colo.Machine;
using Kvm.Colo.Machine.Loaders;
using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.SystemTests;

/// <summary>Every tiny guest on one undisturbed machine: loaders, exits, devices, ends.</summary>
[Trait("Category", "RequiresKvm")]
public class GuestTests
{
    [KvmTheory]
    [InlineData("hello.elf", "pvh")]
    [InlineData("hello.mb", "multiboot")]
    public void Hello_PrintsWhatTheLoaderToldAndExits(string image, string loader)
    {
        using TestMachine vm = new(image, "exit=5 word");
        vm.Machine.Start();
        Assert.Equal(11, vm.WaitForEnd().ExitStatus);
        Assert.Contains($"hello from a tiny guest, loaded by {loader}", vm.Console.Text, StringComparison.Ordinal);
        Assert.Contains("exit=5 word\r\n", vm.Console.Text, StringComparison.Ordinal);
        Assert.Contains("hello modules: 0", vm.Console.Text, StringComparison.Ordinal);
        Assert.Equal(["SHUTDOWN True GuestShutdown"], vm.Recorder.Events);
    }

    [KvmTheory]
    [InlineData("hello.elf", 3_000_000)]
    [InlineData("hello.mb", 3_000_000)]
    [InlineData("hello.elf", 1)]
    [InlineData("hello.mb", 4097)]
    public void Hello_FindsTheModuleIntact(string image, int bytes)
    {
        byte[] module = new byte[bytes];
        new Random(7).NextBytes(module);
        string crc = Convert.ToHexStringLower([.. Crc32.Hash(module).Reverse()]);
        using TestMachine vm = new(image, adjust: config => config with { Boot = config.Boot! with { Initrd = module } });
        vm.Machine.Start();
        vm.WaitForEnd();
        Assert.Contains($"hello module 0: {bytes} bytes crc32 {crc}", vm.Console.Text, StringComparison.Ordinal);
    }

    [KvmTheory]
    [InlineData("heartbeat.elf")]
    [InlineData("heartbeat.mb")]
    public void Heartbeat_CountsInItsOwnTime(string image)
    {
        using TestMachine vm = new(image, "period=10 count=30");
        vm.Machine.Start();
        Assert.Equal(1, vm.WaitForEnd().ExitStatus);
        Assert.Equal(30, HeartbeatSequence.AssertUnbroken(vm.Console.Text, 10));
    }

    [KvmTheory]
    [InlineData("chain.elf")]
    [InlineData("chain.mb")]
    public void Chain_PrintsTheKnownDigests(string image)
    {
        using TestMachine vm = new(image, "count=2000000");
        vm.Machine.Start();
        Assert.Equal(1, vm.WaitForEnd().ExitStatus);
        Assert.Contains("chain 1000000 ok ed622cb96079fa23", vm.Console.Text, StringComparison.Ordinal);
        Assert.Contains("chain 2000000 ok 58ace1c46591f1a3", vm.Console.Text, StringComparison.Ordinal);
    }

    [KvmTheory]
    [InlineData("chain.elf")]
    [InlineData("chain.mb")]
    public void Chain_IsTheSameAbove4GiB(string image)
    {
        using TestMachine vm = new(image, "count=1000000 high=1", memoryMiB: 5 << 10);
        vm.Machine.Start();
        Assert.Equal(1, vm.WaitForEnd().ExitStatus);
        Assert.Contains(" at=0x100000000\r\n", vm.Console.Text, StringComparison.Ordinal);
        Assert.Contains("chain 1000000 ok ed622cb96079fa23", vm.Console.Text, StringComparison.Ordinal);
    }

    [KvmTheory]
    [InlineData("dirty.elf")]
    [InlineData("dirty.mb")]
    public void Dirty_ReportsItsPasses(string image)
    {
        using TestMachine vm = new(image, "pages=64 set=2000 tick=0 count=200");
        vm.Machine.Start();
        Assert.Equal(1, vm.WaitForEnd().ExitStatus);
        Assert.Contains("dirty pass 200 pages 12800", vm.Console.Text, StringComparison.Ordinal);
    }

    [KvmTheory]
    [InlineData("echo.elf")]
    [InlineData("echo.mb")]
    public void Echo_AnswersLinesLongerThanTheFifo(string image)
    {
        using TestMachine vm = new(image);
        vm.Machine.Start();
        vm.Console.WaitFor("echo ready");
        StringBuilder expected = new();
        for (int i = 0; i < 20; i++)
        {
            string line = $"line {i} " + new string((char)('a' + i), 40 * i);
            vm.Console.Type(line + "\r");
            expected.Append($"echo: {line}\r\n");
        }

        vm.Console.WaitFor($"line 19 {new string('t', 760)}\r\n");
        Assert.EndsWith(expected.ToString(), vm.Console.Text, StringComparison.Ordinal);
        vm.Console.Type("quit\r");
        Assert.Equal(1, vm.WaitForEnd().ExitStatus);
        Assert.Equal(0, vm.Machine.Serial.OverrunBytes);
    }

    [KvmTheory]
    [InlineData("smp.elf", 1)]
    [InlineData("smp.elf", 2)]
    [InlineData("smp.elf", 4)]
    [InlineData("smp.elf", 8)]
    [InlineData("smp.elf", 16)]
    [InlineData("smp.mb", 2)]
    public void Smp_EveryVcpuWorks(string image, int cpus)
    {
        using TestMachine vm = new(image, $"n=200000 cpus={cpus}", cpus: cpus);
        vm.Machine.Start();
        Assert.Equal(1, vm.WaitForEnd(60).ExitStatus);
        Assert.Contains($"smp ok {cpus}", vm.Console.Text, StringComparison.Ordinal);
    }

    [KvmTheory]
    [InlineData("mmio.elf")]
    [InlineData("mmio.mb")]
    public void Mmio_UnclaimedAccessesReadAsAllOnes(string image)
    {
        using TestMachine vm = new(image, "n=200");
        vm.Machine.Start();
        Assert.Equal(1, vm.WaitForEnd().ExitStatus);
        Assert.Contains("mmio round 1 ok", vm.Console.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("BAD", vm.Console.Text, StringComparison.Ordinal);
    }

    [KvmTheory]
    [InlineData("realmode.bin", "real mode ok", "real mode 2")]
    [InlineData("pit.bin", "pit ok", "pit 5")]
    public void BootSector_RunsInRealMode(string image, string first, string later)
    {
        using TestMachine vm = new(image);
        vm.Machine.Start();
        vm.Console.WaitFor(later);
        Assert.StartsWith(first, vm.Console.Text, StringComparison.Ordinal);
    }

    [KvmTheory]
    [InlineData("fault.elf", "how=triple")]
    [InlineData("fault.mb", "how=triple")]
    [InlineData("fault.elf", "how=kbd")]
    [InlineData("fault.mb", "how=kbd")]
    public void Fault_Reboots(string image, string append)
    {
        using TestMachine vm = new(image, append);
        vm.Machine.Start();
        vm.Console.WaitFor(text => text.Split("fault boot").Length > 4, "'fault boot' four times");
        Assert.True(vm.Recorder.Events.Count(static e => e == "RESET True GuestReset") >= 3);
        Assert.Equal(RunState.Running, vm.Machine.State);
    }

    [KvmTheory]
    [InlineData("how=triple")]
    [InlineData("how=kbd")]
    public void Fault_EndsTheMachine_WhenItMustNotReboot(string append)
    {
        using TestMachine vm = new("fault.elf", append, adjust: static config => config with { NoReboot = true });
        vm.Machine.Start();
        Assert.Equal(0, vm.WaitForEnd().ExitStatus);
        Assert.Equal(["SHUTDOWN True GuestReset"], vm.Recorder.Events);
        Assert.Single(vm.Console.Lines);
    }

    [KvmFact]
    public void Fault_Trap_IsReportedByTheGuest()
    {
        using TestMachine vm = new("fault.elf", "how=trap");
        vm.Machine.Start();
        Assert.Equal(7, vm.WaitForEnd().ExitStatus);
        Assert.Contains("guest TRAP vector", vm.Console.Text, StringComparison.Ordinal);
    }

    [KvmFact]
    public void InternalError_StopsThatGuestOnlyAndSaysWhy()
    {
        ListLogger log = new();
        using TestMachine other = new("heartbeat.elf", "period=10");
        other.Machine.Start();
        using TestMachine vm = new("fault.elf", "how=internal", logger: log);
        vm.Machine.Start();
        vm.Recorder.WaitUntil(
            () => vm.Machine.State == RunState.InternalError || vm.Console.Text.Contains("survived", StringComparison.Ordinal), "the end");
        other.Console.Said.WaitForMoreLines(3);
        if (vm.Machine.State != RunState.InternalError)
            return; // a KVM that emulates nothing has no such error: the guest said so
        vm.Machine.Synchronize(); // the state is there before what is said about it

        Assert.Equal(1, vm.Recorder.CountOf("STOP"));
        Assert.Matches(@"vCPU 0: KVM internal error, suberror 1 \(emulation failure\)", log.Text);
        Assert.Matches(@"RAX=[0-9a-f]{16} RBX=", log.Text);
        Assert.Matches(@"RIP=[0-9a-f]{16} RFL=", log.Text);
        Assert.Matches(@"code: [0-9a-f]{2,30}  [a-z]+", log.Text);
        Assert.Throws<MachineCommandException>(vm.Machine.Start);
        vm.Machine.Reset();
        Assert.Equal(RunState.Prelaunch, vm.Machine.State);
        Assert.Equal(RunState.Running, other.Machine.State);
    }

    [KvmFact]
    public void PowerOff_KeepsTheMachine_WhenItMustNotShutDown()
    {
        using TestMachine vm = new("hello.elf", adjust: static config => config with { NoShutdown = true });
        vm.Machine.Start();
        vm.Recorder.WaitFor("SHUTDOWN True GuestShutdown");
        vm.Machine.Synchronize();
        Assert.Equal(RunState.Shutdown, vm.Machine.State);
        Assert.Throws<MachineCommandException>(vm.Machine.Start);
        vm.Machine.Reset();
        vm.Machine.Start();
        vm.Console.WaitFor(static text => text.Split("hello from").Length == 3, "hello twice");
    }

    [KvmFact]
    public void Stop_HoldsTheGuestAndItsTime()
    {
        using TestMachine vm = new("heartbeat.elf", "period=10");
        vm.Machine.Start();
        for (int i = 0; i < 20; i++)
        {
            vm.Console.Said.WaitForMoreLines(2);
            vm.Machine.Stop();
            Assert.Equal(RunState.Paused, vm.Machine.State);
            string said = vm.Console.Text;
            vm.Machine.Synchronize();
            Assert.False(SpinWait.SpinUntil(() => vm.Console.Text != said, TimeSpan.FromMilliseconds(25)), "a stopped guest spoke");
            vm.Machine.Start();
        }

        vm.Console.Said.WaitForMoreLines(2);
        vm.Machine.Stop();
        HeartbeatSequence.AssertUnbroken(vm.Console.Text, 10);
        Assert.Equal(vm.Recorder.CountOf("STOP"), vm.Recorder.CountOf("RESUME"));
    }

    [KvmTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void Reset_StartsTheGuestAnew(bool running)
    {
        using TestMachine vm = new("chain.elf", "report=20000");
        vm.Machine.Start();
        for (int i = 2; i < 6; i++)
        {
            vm.Console.Said.WaitForMoreLines(3);
            if (!running)
                vm.Machine.Stop();
            vm.Machine.Reset();
            if (!running)
            {
                Assert.Equal(RunState.Prelaunch, vm.Machine.State);
                vm.Machine.Start();
            }

            vm.Console.WaitFor(text => text.Split("chain start").Length > i, $"start number {i}");
        }

        vm.Console.Said.WaitForMoreLines(3);
        foreach (string life in vm.Console.Text.Split("chain start")[1..])
            ChainVectors.For("report=20000").AssertUnbroken(life);
        Assert.Equal(4, vm.Recorder.Events.Count(static e => e == "RESET False HostQmpSystemReset"));
    }

    [KvmTheory]
    [InlineData("hello.elf")]
    [InlineData("hello.mb")]
    [InlineData("realmode.bin")]
    public void CutOffImage_IsRefusedInOneLine(string image)
    {
        byte[] whole = File.ReadAllBytes(TestImages.Path(image));
        int refused = 0;
        for (int length = 0; length < whole.Length; length += Math.Max(1, whole.Length / 100))
        {
            BootImageException? problem = Refusal(whole.AsMemory(0, length));
            if (problem is null)
                continue; // what was cut off is not loaded: section headers, symbols
            refused++;
            Assert.DoesNotContain('\n', problem.Message);
            Assert.NotEmpty(problem.Message);
        }

        Assert.True(refused > 20, $"{refused} refused");
    }

    [KvmTheory]
    [InlineData(18, 0xB7)] // AArch64
    [InlineData(4, 3)] // neither 32 nor 64 bit
    [InlineData(5, 2)] // big-endian
    [InlineData(16, 3)] // position-independent
    public void WrongImage_IsRefusedInOneLine(int at, byte value)
    {
        byte[] image = File.ReadAllBytes(TestImages.Path("hello.elf"));
        image[at] = value;
        Assert.DoesNotContain('\n', Assert.IsType<BootImageException>(Refusal(image)).Message);
    }

    [KvmFact]
    public void ImageThatDoesNotFit_IsRefusedInOneLine()
    {
        byte[] image = File.ReadAllBytes(TestImages.Path("hello.elf"));
        Assert.NotNull(Refusal(image, memoryMiB: 1));
        Assert.NotNull(Refusal(image, initrd: new byte[40 << 20]));
    }

    private static BootImageException? Refusal(ReadOnlyMemory<byte> kernel, ReadOnlyMemory<byte> initrd = default, ulong memoryMiB = 32)
    {
        try
        {
            using TestMachine vm = new(null, memoryMiB: memoryMiB, adjust: config => config with
            {
                Boot = new BootSource { Kernel = kernel, Initrd = initrd },
            });
            return null;
        }
        catch (BootImageException e)
        {
            return e;
        }
    }
}
