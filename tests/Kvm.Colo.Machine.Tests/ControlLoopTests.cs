using Kvm.Colo.Machine.Control;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.Machine.Tests;

public sealed class ControlLoopTests : IDisposable
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);

    private readonly List<Exception> _failures = [];
    private readonly ControlLoop _loop;

    public ControlLoopTests() => _loop = new ControlLoop(_failures.Add);

    public void Dispose() => _loop.Dispose();

    [Fact]
    public void Invoke_RunsOnTheLoopAndReturnsTheResult()
    {
        Assert.Equal(ControlLoop.ThreadName, _loop.Invoke(static () => Thread.CurrentThread.Name, s_deadline));
        Assert.False(_loop.IsCurrentThread);
    }

    [Fact]
    public void Invoke_RunsAtOnce_WhenAlreadyThere() =>
        Assert.Equal(7, _loop.Invoke(() => _loop.Invoke(static () => 7, s_deadline), s_deadline));

    [Fact]
    public void Invoke_HandsTheExceptionToItsCaller()
    {
        Assert.Throws<MachineCommandException>(() => _loop.Invoke<int>(static () => throw new MachineCommandException("no"), s_deadline));
        Assert.Equal(1, _loop.Invoke(static () => 1, s_deadline));
        Assert.Empty(_failures);
    }

    [Fact]
    public void Post_ReportsTheExceptionAndGoesOn()
    {
        _loop.Post(static () => throw new MachineCommandException("no"));
        Assert.Equal(1, _loop.Invoke(static () => 1, s_deadline));
        Assert.Equal("no", Assert.Single(_failures).Message);
    }

    [Fact]
    public void Work_IsDoneInOrder_FromManyThreads()
    {
        const int Each = 1000;
        List<int> seen = [];
        TestThread[] threads = [.. Enumerable.Range(0, 4).Select(number => TestThread.Start($"poster-{number}", () =>
        {
            for (int i = 0; i < Each; i++)
            {
                int value = (number * Each) + i;
                _loop.Post(() => seen.Add(value));
            }
        }))];
        foreach (TestThread thread in threads)
            thread.Join(s_deadline);
        _loop.Invoke(static () => 0, s_deadline);
        Assert.Equal(4 * Each, seen.Count);
        for (int number = 0; number < 4; number++)
            Assert.Equal(Enumerable.Range(number * Each, Each), seen.Where(value => value / Each == number));
    }

    [Fact]
    public void Invoke_GivesUp_WhenTheLoopIsBusy()
    {
        using ManualResetEventSlim release = new(false);
        _loop.Post(release.Wait);
        Assert.Throws<TimeoutException>(() => _loop.Invoke(static () => 0, TimeSpan.FromMilliseconds(20)));
        release.Set();
        Assert.Equal(2, _loop.Invoke(static () => 2, s_deadline));
    }

    [Fact]
    public void Invoke_IsRefused_AfterTheEnd()
    {
        _loop.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _loop.Invoke(static () => 0, s_deadline));
        _loop.Post(static () => { });
    }
}
