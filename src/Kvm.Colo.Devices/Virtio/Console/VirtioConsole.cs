using Kvm.Colo.Devices.Serial;

namespace Kvm.Colo.Devices.Virtio.Console;

/// <summary>
/// Console device with one port (virtio 1.2, section 5.3) on a serial backend. A chain the backend does not take whole goes back
/// to the queue and is continued when there is room, so nothing the guest said waits inside the device.
/// </summary>
internal sealed class VirtioConsole : VirtioDevice, ISerialInput
{
    public const uint VirtioId = 3;
    public const ushort QueueSize = 64;
    private const int ReceiveQueue = 0;
    private const int TransmitQueue = 1;

    // What one turn on the lock may send; the rest comes on the next.
    private const int MaxTurnBytes = 64 * 1024;

    private readonly ISerialBackend _backend;
    private readonly VirtioConsoleState _current;
    private readonly VirtioConsoleState _staged;
    private readonly VirtqueueChain _receive = new(QueueSize);
    private readonly VirtqueueChain _transmit = new(QueueSize);
    private readonly byte[] _piece = new byte[4096];
    private ulong _sentBytes;
    private bool _isInputRefused;

    public VirtioConsole(VirtioHost host, string name, uint instanceId, ISerialBackend backend)
        : base(host, new VirtioIdentity(VirtioId, "virtio-console", instanceId, name), 0, [QueueSize, QueueSize])
    {
        _backend = backend;
        _current = new VirtioConsoleState(OfferedFeatures, QueueSizes);
        _staged = new VirtioConsoleState(OfferedFeatures, QueueSizes);
        Output = new SerialOutput(backend) { Ready = OnOutputReady };
    }

    /// <summary>Where the guest's bytes go; the replication engine sets its mode.</summary>
    public SerialOutput Output { get; }

    protected override VirtioDeviceState CurrentState => _current;

    protected override VirtioDeviceState StagedState => _staged;

    /// <summary>Connects the backend. Called once, before the guest runs.</summary>
    public void Start() => _backend.Start(this, Output.OnBackendReady);

    /// <summary>Neither SIZE nor MULTIPORT is offered: every field is zero.</summary>
    public override void ReadConfiguration(int offset, Span<byte> data) => data.Clear();

    /// <summary>
    /// Input from the backend. Refused while a secondary speculates: the primary's guest is the one that hears it.
    /// </summary>
    public int Receive(ReadOnlySpan<byte> data)
    {
        lock (Gate)
        {
            int done = 0;
            if (CanProcess && Output.Mode != SerialOutputMode.Speculative)
            {
                Virtqueue queue = Queue(ReceiveQueue);
                do
                {
                    while (done < data.Length && TryTake(queue, _receive))
                    {
                        int part = _receive.Write(Memory, 0, data[done..]);
                        queue.Push(_receive.Head, (uint)part);
                        done += part;
                    }
                }
                while (done < data.Length && TryRearm(queue));
                Publish(queue);
            }

            _isInputRefused |= done < data.Length;
            return done;
        }
    }

    protected override void OnNotify(int queue)
    {
        if (queue == ReceiveQueue)
            ResumeInput();
        else
            Transmit();
    }

    protected override bool TryOnReset()
    {
        _sentBytes = 0;
        return true;
    }

    // What was refused while the device stood still is asked for again when its queue is looked at.
    protected override void OnResume() => _isInputRefused = true;

    // On a primary this ends the epoch's log. A byte is either still in its chain or in the log: the device is quiesced.
    protected override void OnCapture()
    {
        _current.SentBytes = _sentBytes;
        _current.EpochLogCount = Output.TakeEpochLog(_current.EpochLog, out _current.EpochLogLostBytes);
        _current.HasEpochLog = _current.EpochLogCount > 0 || _current.EpochLogLostBytes > 0;
    }

    // On a secondary this drops what its guest said by itself and writes the primary's bytes of this epoch.
    protected override string? OnApply()
    {
        _sentBytes = _staged.SentBytes;
        if (_staged.HasEpochLog)
            Output.CommitEpoch(_staged.EpochLog.AsSpan(0, _staged.EpochLogCount), _staged.EpochLogLostBytes);
        else
            Output.CommitEpoch([], 0);
        return null;
    }

    private void ResumeInput()
    {
        if (!_isInputRefused || Output.Mode == SerialOutputMode.Speculative)
            return;
        _isInputRefused = false;
        _backend.ResumeInput();
    }

    private void Transmit()
    {
        Virtqueue queue = Queue(TransmitQueue);
        int left = MaxTurnBytes;
        bool isBlocked = false;
        do
        {
            while (left > 0 && !isBlocked && TryTake(queue, _transmit))
            {
                isBlocked = !TrySend(ref left);
                if (isBlocked || left <= 0)
                {
                    queue.Unpop(1);
                    break;
                }

                _sentBytes = 0;
                queue.Push(_transmit.Head, 0);
            }
        }
        while (left > 0 && !isBlocked && TryRearm(queue));

        Publish(queue);
        if (left <= 0)
            Reschedule(TransmitQueue);
    }

    /// <summary>
    /// Sends the rest of the chain; false when the backend has no room. Without any turn left the chain is not finished.
    /// </summary>
    private bool TrySend(ref int left)
    {
        left -= VirtqDescriptor.SizeBytes;
        while (_sentBytes < _transmit.ReadableBytes && left > 0)
        {
            int length = _transmit.Read(Memory, _sentBytes, _piece);
            int accepted = Output.Write(_piece.AsSpan(0, length));
            _sentBytes += (uint)accepted;
            left -= accepted;
            if (accepted < length)
                return false;
        }

        // Finished with the last of the turn: it is taken again and found to have nothing left to send.
        return true;
    }

    private void OnOutputReady()
    {
        lock (Gate)
        {
            if (!CanProcess)
                return;
            Reschedule(TransmitQueue);
            ResumeInput();
        }
    }
}
