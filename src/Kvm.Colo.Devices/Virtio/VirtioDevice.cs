using Kvm.Colo.Memory;

namespace Kvm.Colo.Devices.Virtio;

/// <summary>
/// What all virtio devices share: negotiation with the status machine enforced, queues, failure, standing still, state. One lock
/// per device, taken by vCPU threads (registers), by the I/O thread (notifications, completions) and by the control loop; it is
/// never held while waiting for the host, except by a reset that lets requests finish. Nothing a guest does throws out of it.
/// </summary>
internal abstract partial class VirtioDevice : IQuiesce, IDisposable
{
    private readonly ushort[] _queueSizes;
    private readonly Virtqueue[] _queues;
    private readonly Action _runKicks;
    private IVirtioTransport? _transport;
    private uint _kicks;
    private bool _kicksPosted;
    private bool _isQuiesced;
    private bool _configurationChanged;

    protected VirtioDevice(VirtioHost host, VirtioIdentity identity, ulong deviceFeatures, ReadOnlySpan<ushort> queueSizes)
    {
        Host = host;
        Identity = identity;
        OfferedFeatures = VirtioFeature.Common | deviceFeatures;
        Faults = new VirtioFaults($"{identity.Name}: guest fault", host);
        HostErrors = new VirtioFaults($"{identity.Name}: host error", host);
        _queueSizes = queueSizes.ToArray();
        _queues = new Virtqueue[queueSizes.Length];
        for (int i = 0; i < queueSizes.Length; i++)
            _queues[i] = new Virtqueue(host.Memory, queueSizes[i]);
        _runKicks = RunKicks;
    }

    public VirtioIdentity Identity { get; }

    /// <summary>The device's lock. The transport holds it for every call here but <see cref="Notify"/>.</summary>
    public Lock Gate { get; } = new();

    /// <summary>What the guest did wrong.</summary>
    public VirtioFaults Faults { get; }

    /// <summary>What the host refused; the guest was told where it can be.</summary>
    public VirtioFaults HostErrors { get; }

    public ulong OfferedFeatures { get; }

    /// <summary>What the driver asked for; accepted once FEATURES_OK is set.</summary>
    public ulong DriverFeatures { get; private set; }

    public VirtioStatus Status { get; private set; }

    /// <summary>Changes whenever the configuration does (section 2.5).</summary>
    public uint ConfigurationGeneration { get; private set; }

    public IReadOnlyList<Virtqueue> Queues => _queues;

    /// <summary>Exceptions that stopped at the edge of the device; always zero unless there is a defect in it.</summary>
    public long UnexpectedExceptions { get; private set; }

    protected VirtioHost Host { get; }

    protected GuestMemory Memory => Host.Memory;

    protected IVirtioTransport Transport =>
        _transport ?? throw new InvalidOperationException($"{Identity.Name} has no transport");

    protected ReadOnlySpan<ushort> QueueSizes => _queueSizes;

    protected bool IsQuiesced => _isQuiesced;

    /// <summary>Whether the driver runs the device and nothing has broken it.</summary>
    protected bool IsActive =>
        (Status & (VirtioStatus.DriverOk | VirtioStatus.NeedsReset | VirtioStatus.Failed)) == VirtioStatus.DriverOk;

    protected bool CanProcess => IsActive && !_isQuiesced;

    /// <summary>Connects the device; once, before the guest runs.</summary>
    public void Attach(IVirtioTransport transport) => _transport = transport;

    /// <summary>Fills <paramref name="data"/> from the configuration space; bytes beyond its end are zero.</summary>
    public abstract void ReadConfiguration(int offset, Span<byte> data);

    /// <summary>A driver's write to the configuration space; most devices have nothing writable there.</summary>
    public virtual void WriteConfiguration(int offset, ReadOnlySpan<byte> data) =>
        Faults.Report("write to a read-only configuration field", (ulong)offset);

    /// <summary>
    /// The driver announced buffers in a queue. Called with the lock free: on the I/O thread for a notification that came through
    /// an eventfd, else on the vCPU thread that wrote the register.
    /// </summary>
    public void Notify(uint queue)
    {
        lock (Gate)
        {
            if (queue >= _queues.Length)
                Faults.Report("notification of a queue that does not exist", queue);
            else if (CanProcess)
                Process((int)queue);
        }
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
    }

    protected Virtqueue Queue(int index) => _queues[index];

    /// <summary>The driver set DRIVER_OK and every queue it handed over is in order.</summary>
    protected virtual void OnActivate()
    {
    }

    /// <summary>
    /// The driver resets the device. When this returns true nothing of the device touches guest memory; false when requests are
    /// still with the host after all patience, and the device stays unusable.
    /// </summary>
    protected virtual bool TryOnReset() => true;

    /// <summary>Takes what is in a queue; at most one queue's length of chains, then <see cref="Reschedule"/>.</summary>
    protected abstract void OnNotify(int queue);

    /// <summary>Looks at a queue again on the I/O thread, after others have had their turn.</summary>
    protected void Reschedule(int queue)
    {
        _kicks |= 1u << queue;
        if (_kicksPosted)
            return;
        _kicksPosted = true;
        Host.Loop.Post(_runKicks);
    }

    /// <summary>
    /// Takes the next chain, past malformed ones, which are counted and given back. False when there is none; a broken ring fails
    /// the device.
    /// </summary>
    protected bool TryTake(Virtqueue queue, VirtqueueChain chain)
    {
        for (int tries = 0; tries <= queue.MaxSize; tries++)
        {
            switch (queue.TryPop(chain))
            {
                case VirtqueuePop.Chain:
                    return true;
                case VirtqueuePop.Empty:
                    return false;
                case VirtqueuePop.Broken:
                    Fail("a ring index or head is out of range");
                    return false;
                default:
                    Faults.Report("a descriptor chain is malformed");
                    queue.Push(chain.Head, 0);
                    break;
            }
        }

        return false;
    }

    /// <summary>Asks to be told of the next chain; true when there is one already.</summary>
    protected bool TryRearm(Virtqueue queue)
    {
        bool more = queue.TryRearm();
        if (queue.IsRunning)
            return more;
        if (queue.IsReady && IsActive)
            Fail("the available index jumped");
        return false;
    }

    /// <summary>Shows the driver what was pushed, with one interrupt if it wants one.</summary>
    protected void Publish(Virtqueue queue)
    {
        if (queue.Publish())
            Transport.InterruptQueue();
    }

    /// <summary>The guest broke the device: it stands still until the driver resets it (section 2.1.2).</summary>
    protected void Fail(string what)
    {
        Faults.Report(what);
        bool isFirst = (Status & VirtioStatus.NeedsReset) == 0;
        Status |= VirtioStatus.NeedsReset;
        foreach (Virtqueue queue in _queues)
            queue.Stop();
        if (isFirst && (Status & VirtioStatus.DriverOk) != 0)
            Transport.InterruptConfiguration();
    }

    /// <summary>
    /// An exception reached the edge of the device: our fault, but it costs the guest this device and not the machine.
    /// </summary>
    protected void FailUnexpectedly(Exception exception)
    {
        UnexpectedExceptions++;
        Fail(exception.Message);
    }

    /// <summary>Tells the driver that the configuration is another one now.</summary>
    protected void ChangeConfiguration()
    {
        ConfigurationGeneration++;
        if (_isQuiesced)
            _configurationChanged = true;
        else if (IsActive)
            Transport.InterruptConfiguration();
    }

    private void Process(int queue)
    {
        try
        {
            if (_queues[queue].IsRunning)
                OnNotify(queue);
        }
        catch (Exception e)
        {
            FailUnexpectedly(e);
        }
    }

    private void KickAll()
    {
        for (int i = 0; i < _queues.Length; i++)
            Reschedule(i);
    }

    private void RunKicks()
    {
        lock (Gate)
        {
            uint kicks = _kicks;
            _kicks = 0;
            _kicksPosted = false;
            for (int i = 0; i < _queues.Length && CanProcess; i++)
            {
                if ((kicks >> i & 1) != 0)
                    Process(i);
            }
        }
    }
}
