using System.Diagnostics;
using Kvm.Colo.Native;
using Kvm.Colo.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Kvm.Colo.Kvm.Tests;

[Trait("Category", "RequiresKvm")]
public sealed class KickTests(ITestOutputHelper output)
{
    private const int Kicks = 10_000;

    [KvmTheory]
    [InlineData("real-mode spin")]
    [InlineData("ring-3 spin")]
    [InlineData("halt")]
    [InlineData("halt with interrupts off")]
    public void NoKickIsLost(string guest)
    {
        using TinyVm vm = new();
        Load(vm, guest);
        using SemaphoreSlim served = new(0);
        long[] latencies = new long[Kicks];
        long kickedAt = 0;
        int requested = 0;
        int answered = 0;
        using ManualResetEventSlim bound = new();
        TestThread runner = TestThread.Start("vcpu-0", () =>
        {
            vm.Vcpu.BindToThisThread();
            bound.Set();
            Random pause = new(2);
            while (answered < Kicks)
            {
                if (pause.Next(4) == 0)
                    Thread.SpinWait(pause.Next(5000)); // lets some kicks meet a run that has not begun yet
                long started = Stopwatch.GetTimestamp();
                Errno errno = vm.Vcpu.TryRun();
                long now = Stopwatch.GetTimestamp();
                if (errno != Errno.EINTR)
                    throw new InvalidOperationException($"{errno}, exit {vm.Vcpu.ExitReason}");
                vm.Vcpu.ClearExitRequest();
                if (Volatile.Read(ref requested) == answered)
                    continue; // the signal of a kick that the flag had already answered
                latencies[answered++] = now - Math.Max(started, Volatile.Read(ref kickedAt));
                served.Release();
            }
        });
        Assert.True(bound.Wait(TinyVm.Deadline));

        Random random = new(1);
        for (int i = 0; i < Kicks; i++)
        {
            Thread.SpinWait(random.Next(4) == 0 ? random.Next(5000) : random.Next(200));
            Volatile.Write(ref kickedAt, Stopwatch.GetTimestamp());
            Volatile.Write(ref requested, i + 1);
            vm.Vcpu.RequestExit();
            Assert.True(served.Wait(TinyVm.Deadline), $"kick {i} was lost");
        }

        runner.Join(TinyVm.Deadline);
        Assert.Equal(Kicks, answered);
        Array.Sort(latencies);
        output.WriteLine($"{guest}: p50 {Microseconds(latencies[Kicks / 2]):F1} us, p99 {Microseconds(latencies[Kicks * 99 / 100]):F1} us");
    }

    [KvmFact]
    public void Kick_BeforeTheRunIsKept()
    {
        using TinyVm vm = new();
        Load(vm, "ring-3 spin");

        vm.Vcpu.RequestExit(); // no thread is bound: only the flag can carry it
        Assert.Equal(Errno.EINTR, vm.Run());
        Assert.Equal(Errno.EINTR, vm.Run());
        vm.Vcpu.ClearExitRequest();

        TestThread kicker = TestThread.Start("kicker", vm.Vcpu.RequestExit);
        Assert.Equal(Errno.EINTR, vm.Run());
        kicker.Join(TinyVm.Deadline);
    }

    [KvmFact]
    public void Kick_OfAThreadThatHasEndedIsHarmless()
    {
        using TinyVm vm = new();
        Load(vm, "halt");
        TestThread.Start("vcpu-0", vm.Vcpu.BindToThisThread).Join(TinyVm.Deadline);

        vm.Vcpu.RequestExit();

        Assert.Equal(Errno.EINTR, vm.Run());
    }

    private static void Load(TinyVm vm, string guest)
    {
        switch (guest)
        {
            case "ring-3 spin":
                vm.LoadLongMode("jmp .", ring3: true);
                break;
            case "real-mode spin":
                vm.LoadRealMode("jmp .");
                break;
            case "halt":
                vm.LoadRealMode("sti; 1: hlt; jmp 1b");
                break;
            default:
                vm.LoadRealMode("cli; 1: hlt; jmp 1b");
                break;
        }
    }

    private static double Microseconds(long ticks) => ticks * 1e6 / Stopwatch.Frequency;
}
