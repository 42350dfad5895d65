using Kvm.Colo.Devices.Tests.Virtio.Support;
using Kvm.Colo.Devices.Virtio;
using Kvm.Colo.Devices.Virtio.Mmio;
using Kvm.Colo.Memory;
using Kvm.Colo.Native;
using Kvm.Colo.Native.Io;

namespace Kvm.Colo.Devices.Tests.Virtio.Mmio;

/// <summary>
/// Who serves a notification: the I/O thread where there is an eventfd, else the thread that wrote the register; never both.
/// </summary>
public sealed class QueueNotifierTests : IDisposable
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);
    private readonly GuestMemory _memory = GuestMemory.Create(8 << 20);
    private readonly List<Exception> _faults = [];
    private readonly EpollLoop _loop;
    private readonly WitnessDevice _device;
    private readonly VirtioMmioTransport _transport;
    private readonly GuestDriver _driver;

    public QueueNotifierTests()
    {
        _loop = new EpollLoop("io", _faults.Add, TimeProvider.System);
        _device = new WitnessDevice(new VirtioHost(_memory, _loop, TimeProvider.System, static _ => { }));
        _transport = new VirtioMmioTransport(_device, new RecordingLine());
        _driver = new GuestDriver(_memory, _transport);
    }

    public void Dispose()
    {
        _transport.Dispose();
        _device.Dispose();
        _loop.Dispose();
        _memory.Dispose();
        Assert.Empty(_faults);
    }

    [Fact]
    public void WithoutEventfd_TheWritingThreadServes()
    {
        Start();
        _driver.Notify(1);
        Assert.Equal((1, Environment.CurrentManagedThreadId), _device.Next(s_deadline));
        AssertNothingMore();
    }

    [Fact]
    public void WithEventfd_TheIoThreadServes_AlsoWhenTheWriteGotThroughToTheRegister()
    {
        using var kernel = new KernelNotifier(refused: 1);
        _transport.AttachNotifier(kernel, _loop);
        Start();
        NativeFile.Signal(kernel.Attached[0]);
        (int queue, int thread) = _device.Next(s_deadline);
        Assert.Equal(0, queue);
        Assert.NotEqual(Environment.CurrentManagedThreadId, thread);

        _driver.Notify(0);
        Assert.Equal((0, thread), _device.Next(s_deadline));

        // The kernel took no eventfd for queue 1.
        _driver.Notify(1);
        Assert.Equal((1, Environment.CurrentManagedThreadId), _device.Next(s_deadline));
        AssertNothingMore();
    }

    // Class 16: the signal of a quiesced device is used up; Resume looks at the queues instead.
    [Fact]
    public void Resume_LooksAtEveryQueue_Once()
    {
        using var kernel = new KernelNotifier(refused: uint.MaxValue);
        _transport.AttachNotifier(kernel, _loop);
        Start();
        Assert.True(_device.TryQuiesce(s_deadline));
        NativeFile.Signal(kernel.Attached[0]);
        AssertNothingMore();
        _device.Resume();
        Assert.Equal([0, 1], new[] { _device.Next(s_deadline).Queue, _device.Next(s_deadline).Queue }.Order());
        AssertNothingMore();
    }

    private void Start()
    {
        _driver.Start(0);
        _device.Next(s_deadline);
        _device.Next(s_deadline);
        AssertNothingMore();
    }

    // After two turns of the loop everything that was under way has arrived.
    private void AssertNothingMore()
    {
        using var turned = new SemaphoreSlim(0);
        _loop.Post(() => _loop.Post(() => turned.Release()));
        Assert.True(turned.Wait(s_deadline));
        Assert.Equal(0, _device.Waiting);
    }

    /// <summary>What KVM does: keeps the eventfds of the queues it accepts.</summary>
    private sealed class KernelNotifier(uint refused) : IQueueNotifier, IDisposable
    {
        public Dictionary<uint, SafeDescriptor> Attached { get; } = [];

        public bool TryAttach(uint queue, SafeDescriptor eventDescriptor) =>
            queue != refused && Attached.TryAdd(queue, eventDescriptor);

        public void Detach(uint queue, SafeDescriptor eventDescriptor) => Attached.Remove(queue);

        public void Dispose() => Attached.Clear();
    }

    /// <summary>A device that only tells which queue was looked at on which thread.</summary>
    private sealed class WitnessDevice : VirtioDevice
    {
        private readonly Queue<(int Queue, int Thread)> _seen = [];
        private readonly SemaphoreSlim _arrived = new(0);

        public WitnessDevice(VirtioHost host)
            : base(host, new VirtioIdentity(4, "witness", 0, "witness"), 0, [16, 16])
        {
            CurrentState = new VirtioDeviceState(OfferedFeatures, QueueSizes);
            StagedState = new VirtioDeviceState(OfferedFeatures, QueueSizes);
        }

        public int Waiting => _arrived.CurrentCount;

        protected override VirtioDeviceState CurrentState { get; }

        protected override VirtioDeviceState StagedState { get; }

        public (int Queue, int Thread) Next(TimeSpan deadline)
        {
            Assert.True(_arrived.Wait(deadline), "no notification");
            lock (_seen)
                return _seen.Dequeue();
        }

        public override void ReadConfiguration(int offset, Span<byte> data) => data.Clear();

        protected override void OnNotify(int queue)
        {
            lock (_seen)
                _seen.Enqueue((queue, Environment.CurrentManagedThreadId));
            _arrived.Release();
        }

        protected override void Dispose(bool disposing)
        {
            _arrived.Dispose();
            base.Dispose(disposing);
        }
    }
}
