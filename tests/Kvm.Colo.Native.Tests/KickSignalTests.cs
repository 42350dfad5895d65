using System.Security.Cryptography;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.Native.Tests;

public sealed class KickSignalTests
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);

    [Fact]
    public void Kick_EndsABlockingPollWithEintr()
    {
        Shim.KickInstall();
        using SafeDescriptor silent = SafeDescriptor.From("eventfd", Shim.EventFd(0));
        using ManualResetEventSlim bound = new();
        using ManualResetEventSlim ended = new();
        long thread = 0;
        long result = 0;
        TestThread poller = TestThread.Start("poller", () =>
        {
            thread = Shim.ThreadId();
            bound.Set();
            result = Shim.Poll(silent, 1, 30_000);
            ended.Set();
        });
        Assert.True(bound.Wait(s_deadline));

        // The thread may not have reached poll yet, where a kick has nothing to end: that is what immediate_exit is for in KVM_RUN.
        while (!ended.Wait(TimeSpan.FromMilliseconds(1)))
            Shim.Kick(thread);

        poller.Join(s_deadline);
        Assert.Equal(-(long)Errno.EINTR, result);
    }

    [Fact]
    public void Kicks_DoNotDisturbManagedCodeOrTheCollector()
    {
        Shim.KickInstall();
        byte[] input = new byte[1 << 20];
        new Random(1).NextBytes(input);
        byte[] expected = SHA256.HashData(input);
        using ManualResetEventSlim bound = new();
        long thread = 0;
        int rounds = 0;
        bool stop = false;
        TestThread worker = TestThread.Start("worker", () =>
        {
            thread = Shim.ThreadId();
            bound.Set();
            while (!Volatile.Read(ref stop))
            {
                byte[] copy = [.. input];
                if (!SHA256.HashData(copy).AsSpan().SequenceEqual(expected))
                    throw new InvalidOperationException("a kick changed the result of managed code");
                Interlocked.Increment(ref rounds);
            }
        });
        Assert.True(bound.Wait(s_deadline));

        for (int i = 0; i < 20_000; i++)
        {
            Assert.Equal(0, Shim.Kick(thread));
            if (i % 1000 == 0)
                GC.Collect();
        }

        int reached = Volatile.Read(ref rounds);
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref rounds) > reached, s_deadline));
        Volatile.Write(ref stop, true);
        worker.Join(s_deadline);
    }
}
