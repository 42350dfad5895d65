using Kvm.Colo.Native.Io;
using Xunit;

namespace Kvm.Colo.Native.Tests.Io;

public sealed class EpollLoopTests : IDisposable
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);
    private readonly List<Exception> _faults = [];
    private readonly EpollLoop _loop;
    private readonly SemaphoreSlim _happened = new(0);

    public EpollLoopTests() => _loop = new EpollLoop("io", _faults.Add, TimeProvider.System);

    public void Dispose()
    {
        _loop.Dispose();
        _happened.Dispose();
    }

    [Fact]
    public void Post_RunsInOrder_OnTheNamedThread()
    {
        List<int> order = [];
        string? name = null;
        for (int i = 0; i < 100; i++)
        {
            int number = i;
            _loop.Post(() => order.Add(number));
        }

        _loop.Post(() =>
        {
            name = Thread.CurrentThread.Name;
            Assert.True(_loop.IsCurrent);
            _happened.Release();
        });
        Wait();
        Assert.Equal(Enumerable.Range(0, 100), order);
        Assert.Equal("io", name);
        Assert.False(_loop.IsCurrent);
    }

    [Fact]
    public void Register_ReportsReadiness_UntilItIsSwitchedOffOrDisposed()
    {
        using var signal = SafeDescriptor.From("eventfd", Shim.EventFd(0));
        using IIoRegistration registration = _loop.Register(signal, IoEvents.None, events =>
        {
            Assert.Equal(IoEvents.Readable, events);
            NativeFile.Consume(signal);
            _happened.Release();
        });
        NativeFile.Signal(signal);
        Settle();
        Assert.Equal(0, _happened.CurrentCount);
        registration.Update(IoEvents.Readable);
        Wait();
        registration.Update(IoEvents.None);
        NativeFile.Signal(signal);
        Settle();
        Assert.Equal(0, _happened.CurrentCount);
        registration.Update(IoEvents.Readable);
        Wait();
        registration.Dispose();
        registration.Dispose();
        registration.Update(IoEvents.Readable);
        NativeFile.Signal(signal);
        Settle();
        Assert.Equal(0, _happened.CurrentCount);
    }

    [Fact]
    public void Slot_IsUsedAgain_WithoutMixingOwnersUp()
    {
        using var first = SafeDescriptor.From("eventfd", Shim.EventFd(1));
        using var second = SafeDescriptor.From("eventfd", Shim.EventFd(0));
        for (int round = 0; round < 200; round++)
        {
            bool isGone = false;
            IIoRegistration registration = _loop.Register(first, IoEvents.Readable, _ => _happened.Release());
            Wait();
            registration.Dispose();
            using IIoRegistration next = _loop.Register(second, IoEvents.Readable, _ => isGone = true);
            Settle();
            Assert.False(isGone);
            while (_happened.CurrentCount > 0)
                Wait();
        }
    }

    [Fact]
    public void Timer_FiresOnce_AndNotWhenStopped()
    {
        using IIoTimer timer = _loop.CreateTimer(() => _happened.Release());
        using IIoTimer stopped = _loop.CreateTimer(() => _faults.Add(new InvalidOperationException("stopped timer fired")));
        stopped.Start(TimeSpan.FromMilliseconds(1));
        stopped.Stop();
        timer.Start(TimeSpan.FromHours(1));
        timer.Start(TimeSpan.FromMilliseconds(5));
        Wait();
        Settle();
        Assert.Equal(0, _happened.CurrentCount);
        Assert.Empty(_faults);
    }

    [Fact]
    public void Exception_IsReported_AndTheLoopGoesOn()
    {
        _loop.Post(static () => throw new InvalidOperationException("first"));
        Settle();
        Assert.Equal("first", Assert.Single(_faults).Message);
    }

    [Fact]
    public void Dispose_Joins_AndTwiceIsHarmless()
    {
        var loop = new EpollLoop("io", _faults.Add, TimeProvider.System);
        loop.Dispose();
        loop.Dispose();
        using var signal = SafeDescriptor.From("eventfd", Shim.EventFd(0));
        Assert.Throws<ObjectDisposedException>(() => loop.Register(signal, IoEvents.Readable, static _ => { }));
    }

    private void Wait() => Assert.True(_happened.Wait(s_deadline), "nothing happened within 20 s");

    // Two turns of the loop: what was ready has been dispatched by then.
    private void Settle()
    {
        using var turned = new SemaphoreSlim(0);
        _loop.Post(() => _loop.Post(() => turned.Release()));
        Assert.True(turned.Wait(s_deadline), "the loop does not turn");
    }
}
