using Kvm.Colo.Machine;
using Kvm.Colo.Machine.Control;
using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Kvm.Colo.SystemTests;

/// <summary>Ten thousand pauses of every kind of guest, each within the machine's deadline, and the guest alive after the last.</summary>
[Trait("Category", "RequiresKvm")]
public class VcpuTests(ITestOutputHelper output)
{
    private const int Cycles = 10_000;

    [KvmTheory]
    [InlineData("spin.elf", "ring=3", 1)]
    [InlineData("spin.elf", "ring=0", 1)]
    [InlineData("idle.elf", "if=1", 1)]
    [InlineData("idle.elf", "if=0", 1)]
    [InlineData("spin.elf", "ring=3", 2)]
    [InlineData("spin.elf", "ring=0", 2)]
    [InlineData("idle.elf", "if=1", 2)]
    [InlineData("smp.elf", "loop=1 cpus=2", 2)]
    public void Pause_IsNeverLost(string image, string append, int cpus)
    {
        using TestMachine vm = new(image, append, memoryMiB: 8, cpus: cpus);
        vm.Machine.Start();
        vm.Console.WaitFor(" start");
        Nothing work = new();
        TimeSpan longest = TimeSpan.Zero;
        TimeSpan sum = TimeSpan.Zero;
        for (int i = 0; i < Cycles / 2; i++)
        {
            TimeSpan pause = vm.Machine.Cut(work, RunState.Colo);
            sum += pause;
            longest = pause > longest ? pause : longest;
            vm.Machine.Stop();
            vm.Machine.Start();
        }

        output.WriteLine($"mean cut {sum.TotalMicroseconds / (Cycles / 2):0} us, longest {longest.TotalMilliseconds:0.0} ms");
        Assert.Equal(Cycles / 2, work.Count);
        Assert.Equal(Cycles, vm.Recorder.CountOf("STOP"));
        Assert.Equal(Cycles + 1, vm.Recorder.CountOf("RESUME"));
        Assert.Equal(RunState.Running, vm.Machine.State);
    }

    [KvmTheory]
    [InlineData(1)]
    [InlineData(2)]
    public void PausedGuest_LosesNoWork(int cpus)
    {
        using TestMachine vm = new(cpus == 1 ? "chain.elf" : "smp.elf", cpus == 1 ? "report=50000" : "loop=1 cpus=2", cpus: cpus);
        vm.Machine.Start();
        Nothing work = new();
        for (int i = 0; i < 2000; i++)
            vm.Machine.Cut(work, RunState.Colo);
        vm.Console.Said.WaitForMoreLines(2);
        if (cpus == 1)
            Assert.True(ChainVectors.For("report=50000").AssertUnbroken(vm.Console.Text) > 0);
        Assert.DoesNotContain("FAILED", vm.Console.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("TRAP", vm.Console.Text, StringComparison.Ordinal);
    }

    [KvmFact]
    public void ThrottledGuest_DoesLessAndCanStillBePausedAtAnyTime()
    {
        using TestMachine vm = new("chain.elf", "report=5000", cpus: 1);
        vm.Machine.Start();
        vm.Machine.Throttle.Percent = 50;
        vm.Console.Said.WaitForMoreLines(5);
        vm.Machine.Throttle.Percent = 99;
        Nothing work = new();
        for (int i = 0; i < 300; i++)
            vm.Machine.Cut(work, RunState.Colo);
        vm.Machine.Stop();
        vm.Machine.Start();
        vm.Machine.Throttle.Percent = 0;
        vm.Console.Said.WaitForMoreLines(5);
        Assert.Equal(300, work.Count);
        Assert.True(ChainVectors.For("report=5000").AssertUnbroken(vm.Console.Text) > 0);
    }

    private sealed class Nothing : IPauseWork
    {
        public int Count { get; private set; }

        public void OnPaused() => Count++;
    }
}
