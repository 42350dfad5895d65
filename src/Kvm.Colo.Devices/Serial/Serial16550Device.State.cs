using Kvm.Colo.Stream;

namespace Kvm.Colo.Devices.Serial;

// The device's part in a save and a load. Registers, FIFOs and the epoch's log are taken under one lock: a byte is either still
// in the transmit FIFO or in the log, never in both and never in neither.
internal sealed partial class Serial16550Device : IStateOwner
{
    private readonly Serial16550State _current = new();
    private readonly Serial16550State _staged = new();

    public string Name => "serial";

    public uint InstanceId => Config.InstanceId;

    public uint Version => 1;

    public DeviceState Current => _current;

    public DeviceState Staged => _staged;

    /// <summary>Fills the state; on a primary this also ends the epoch's log, whose bytes travel in it.</summary>
    public void Capture()
    {
        lock (_lock)
        {
            _current.InterruptEnable = _interruptEnable;
            _current.FifoControl = _fifoControl;
            _current.LineControl = _lineControl;
            _current.ModemControl = _modemControl;
            _current.LineErrors = _lineErrors;
            _current.ModemStatus = _modemStatus;
            _current.Scratch = _scratch;
            _current.Divisor = _divisor;
            _current.TransmitInterruptPending = _transmitInterruptPending;
            _current.ReceiveCount = _receive.Peek(_current.Receive);
            _current.TransmitCount = _transmit.Peek(_current.Transmit);
            _current.EpochLogCount = Output.TakeEpochLog(_current.EpochLog, out _current.EpochLogLostBytes);
            _current.HasEpochLog = _current.EpochLogCount > 0 || _current.EpochLogLostBytes > 0;
        }
    }

    /// <summary>
    /// Makes the staged state live. On a secondary that also drops what its guest said by itself and writes the primary's bytes
    /// of this epoch.
    /// </summary>
    public string? Apply()
    {
        lock (_lock)
        {
            if (_staged.HasEpochLog)
                Output.CommitEpoch(_staged.EpochLog.AsSpan(0, _staged.EpochLogCount), _staged.EpochLogLostBytes);
            else
                Output.CommitEpoch([], 0);
            _interruptEnable = _staged.InterruptEnable;
            _fifoControl = _staged.FifoControl;
            _lineControl = _staged.LineControl;
            _modemControl = _staged.ModemControl;
            _lineErrors = _staged.LineErrors;
            _modemStatus = _staged.ModemStatus;
            _scratch = _staged.Scratch;
            _divisor = _staged.Divisor;
            _transmitInterruptPending = _staged.TransmitInterruptPending;
            Refill(_receive, _staged.Receive, _staged.ReceiveCount);
            Refill(_transmit, _staged.Transmit, _staged.TransmitCount);
            if (_transmit.Count > 0)
                PumpTransmitter();
            // The chip's state was replaced as well, so the pin is driven whatever level this side last gave it.
            DriveLine();
            ResumeInput();
        }

        return null;
    }

    private static void Refill(ByteRing ring, byte[] bytes, int count)
    {
        ring.Clear();
        ring.Write(bytes.AsSpan(0, count));
    }
}
