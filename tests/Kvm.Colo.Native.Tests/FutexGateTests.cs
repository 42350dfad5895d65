using System.Diagnostics;
using Xunit;

namespace Kvm.Colo.Native.Tests;

public sealed class FutexGateTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    [Fact]
    public void OpenGate_LetsEverybodyThroughUntilItIsClosed()
    {
        FutexGate gate = new(isOpen: true);
        Assert.True(gate.Wait(TimeSpan.Zero));
        Assert.True(gate.Wait(s_limit));

        gate.Reset();

        Assert.False(gate.IsOpen);
        Assert.False(gate.Wait(TimeSpan.Zero));
    }

    [Fact]
    public void ClosedGate_WaitEndsAtItsDeadline()
    {
        FutexGate gate = new();
        long start = Stopwatch.GetTimestamp();

        Assert.False(gate.Wait(TimeSpan.FromMilliseconds(20)));

        Assert.True(Stopwatch.GetElapsedTime(start) >= TimeSpan.FromMilliseconds(20));
        Assert.False(gate.Wait(TimeSpan.FromTicks(1)));
    }

    [Fact]
    public void Reset_UnderAWaiter_LeavesItWaiting()
    {
        FutexGate gate = new();
        using ManualResetEventSlim passed = new();
        Thread waiter = Start(() =>
        {
            gate.Wait();
            passed.Set();
        });
        gate.Reset();
        Assert.False(passed.IsSet);

        gate.Set();

        Assert.True(waiter.Join(s_limit));
        Assert.True(passed.IsSet);
    }

    [Fact]
    public void Set_WakesAllWhoWait()
    {
        FutexGate gate = new();
        int through = 0;
        Thread[] waiters = [.. Enumerable.Range(0, 8).Select(_ => Start(() =>
        {
            if (gate.Wait(s_limit))
                Interlocked.Increment(ref through);
        }))];

        gate.Set();

        Assert.All(waiters, waiter => Assert.True(waiter.Join(s_limit)));
        Assert.Equal(8, through);
    }

    [Fact]
    public void HandOver_LosesNoWakeUp()
    {
        const int Rounds = 100_000;
        FutexGate ping = new();
        FutexGate pong = new();
        int answered = 0;
        Thread other = Start(() =>
        {
            for (; answered < Rounds && ping.Wait(s_limit); answered++)
            {
                ping.Reset();
                pong.Set();
            }
        });

        for (int i = 0; i < Rounds; i++)
        {
            ping.Set();
            Assert.True(pong.Wait(s_limit), $"no answer in round {i}");
            pong.Reset();
        }

        Assert.True(other.Join(s_limit));
        Assert.Equal(Rounds, answered);
    }

    [Fact]
    public void AThreadInsideAWait_DoesNotHoldUpTheCollector()
    {
        FutexGate gate = new();
        Thread waiter = Start(() => gate.Wait(s_limit));

        GC.Collect();

        gate.Set();
        Assert.True(waiter.Join(s_limit));
    }

    private static Thread Start(ThreadStart body)
    {
        Thread thread = new(body) { Name = "gate", IsBackground = true };
        thread.Start();
        return thread;
    }
}
