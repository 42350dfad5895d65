using static Kvm.Colo.Devices.Serial.Serial16550Registers;

namespace Kvm.Colo.Devices.Serial;

/// <summary>
/// A 16550A UART without baud timing: a byte is sent the moment it is written, unless the backend is behind, when it waits in
/// the transmit FIFO with THRE clear. The receive time-out interrupt comes at once. Callable from any thread; one lock.
/// </summary>
internal sealed partial class Serial16550Device : IPortDevice, ISerialInput
{
    public const int FifoBytes = 16;
    private const byte IdleModemStatus = MsrCarrier | MsrDsr | MsrCts;

    private readonly Lock _lock = new();
    private readonly IInterruptLine _line;
    private readonly ISerialBackend _backend;
    private readonly ByteRing _receive = new(FifoBytes);
    private readonly ByteRing _transmit = new(FifoBytes);
    private byte _interruptEnable;
    private byte _fifoControl;
    private byte _lineControl;
    private byte _modemControl;
    private byte _lineErrors;
    private byte _modemStatus;
    private byte _scratch;
    private ushort _divisor;
    private bool _transmitInterruptPending;
    private bool _inputRefused;
    private bool _lineLevel;
    private long _overruns;

    public Serial16550Device(Serial16550Config config, IInterruptLine line, ISerialBackend backend)
    {
        Config = config;
        _line = line;
        _backend = backend;
        Output = new SerialOutput(backend) { Ready = OnOutputReady };
        SetPowerOn();
    }

    public Serial16550Config Config { get; }

    /// <summary>Where the guest's bytes go; the replication engine sets its mode.</summary>
    public SerialOutput Output { get; }

    /// <summary>Bytes the guest sent while the transmitter was full, or looped back into a full receiver.</summary>
    public long OverrunBytes => Volatile.Read(ref _overruns);

    /// <summary>Connects the backend. Called once, before the guest runs.</summary>
    public void Start() => _backend.Start(this, Output.OnBackendReady);

    public void Read(ushort offset, Span<byte> data)
    {
        lock (_lock)
        {
            for (int i = 0; i < data.Length; i++)
                data[i] = ReadRegister((offset + i) & 7);
            UpdateLine();
        }
    }

    public void Write(ushort offset, ReadOnlySpan<byte> data)
    {
        lock (_lock)
        {
            for (int i = 0; i < data.Length; i++)
                WriteRegister((offset + i) & 7, data[i]);
            UpdateLine();
        }
    }

    /// <summary>
    /// Input from the backend. Refused while a secondary speculates: the primary's guest is the one that hears it.
    /// </summary>
    public int Receive(ReadOnlySpan<byte> data)
    {
        lock (_lock)
        {
            int room = CanReceive ? Math.Max(0, Depth - _receive.Count) : 0;
            int accepted = _receive.Write(data[..Math.Min(data.Length, room)]);
            _inputRefused |= accepted < data.Length;
            UpdateLine();
            return accepted;
        }
    }

    /// <summary>Power-on state. Bytes already sent stay sent; bytes in the transmit FIFO are lost, as in hardware.</summary>
    public void Reset()
    {
        lock (_lock)
        {
            SetPowerOn();
            DriveLine();
            ResumeInput();
        }
    }

    private bool FifoEnabled => (_fifoControl & FcrEnable) != 0;

    private int Depth => FifoEnabled ? FifoBytes : 1;

    private bool Loopback => (_modemControl & McrLoopback) != 0;

    private bool CanReceive => !Loopback && Output.Mode != SerialOutputMode.Speculative;

    private int ReceiveTrigger => !FifoEnabled ? 1 : (_fifoControl >> 6) switch { 0 => 1, 1 => 4, 2 => 8, _ => 14 };

    private void SetPowerOn()
    {
        _receive.Clear();
        _transmit.Clear();
        _interruptEnable = 0;
        _fifoControl = 0;
        _lineControl = 0;
        _modemControl = 0;
        _lineErrors = 0;
        _modemStatus = IdleModemStatus;
        _scratch = 0;
        _divisor = 12;
        _transmitInterruptPending = false;
    }

    private byte ReadRegister(int register)
    {
        bool divisorAccess = (_lineControl & LcrDivisorAccess) != 0;
        return register switch
        {
            Data when divisorAccess => (byte)_divisor,
            Data => ReadData(),
            InterruptEnable when divisorAccess => (byte)(_divisor >> 8),
            InterruptEnable => _interruptEnable,
            InterruptIdentification => ReadIdentification(),
            LineControl => _lineControl,
            ModemControl => _modemControl,
            LineStatus => ReadLineStatus(),
            ModemStatus => ReadModemStatus(),
            _ => _scratch,
        };
    }

    private void WriteRegister(int register, byte value)
    {
        bool divisorAccess = (_lineControl & LcrDivisorAccess) != 0;
        switch (register)
        {
            case Data when divisorAccess:
                _divisor = (ushort)((_divisor & 0xFF00) | value);
                break;
            case Data:
                WriteData(value);
                break;
            case InterruptEnable when divisorAccess:
                _divisor = (ushort)((_divisor & 0x00FF) | (value << 8));
                break;
            case InterruptEnable:
                WriteInterruptEnable(value);
                break;
            case InterruptIdentification:
                WriteFifoControl(value);
                break;
            case LineControl:
                _lineControl = value;
                break;
            case ModemControl:
                WriteModemControl(value);
                break;
            case Scratch:
                _scratch = value;
                break;
            default:
                break;
        }
    }

    private byte ReadData()
    {
        Span<byte> value = stackalloc byte[1];
        value.Clear();
        _receive.Read(value);
        ResumeInput();
        return value[0];
    }

    private byte ReadIdentification()
    {
        byte cause = PendingCause();
        if (cause == IirTransmit)
            _transmitInterruptPending = false;
        return (byte)(cause | (FifoEnabled ? IirFifoEnabled : 0));
    }

    private byte ReadLineStatus()
    {
        int status = _lineErrors;
        if (_receive.Count > 0)
            status |= LsrDataReady;
        if (_transmit.Count == 0)
            status |= LsrTransmitEmpty | LsrIdle;
        _lineErrors = 0;
        return (byte)status;
    }

    private byte ReadModemStatus()
    {
        byte status = _modemStatus;
        _modemStatus &= unchecked((byte)~MsrDeltaMask);
        return status;
    }

    private void WriteData(byte value)
    {
        _transmitInterruptPending = false;
        if (Loopback)
        {
            LoopBack(value);
            _transmitInterruptPending = _transmit.Count == 0;
            return;
        }

        if (_transmit.Count >= Depth)
        {
            Interlocked.Increment(ref _overruns);
            return;
        }

        _transmit.Write([value]);
        PumpTransmitter();
    }

    private void LoopBack(byte value)
    {
        if (_receive.Count < Depth)
        {
            _receive.Write([value]);
            return;
        }

        _lineErrors |= LsrOverrun;
        Interlocked.Increment(ref _overruns);
        // With the FIFO on the new character is the one that is lost, without it the old one.
        if (!FifoEnabled)
        {
            _receive.Clear();
            _receive.Write([value]);
        }
    }

    private void WriteInterruptEnable(byte value)
    {
        bool wasOn = (_interruptEnable & IerTransmit) != 0;
        bool isOn = (value & IerTransmit) != 0;
        _interruptEnable = (byte)(value & IerMask);
        if (isOn != wasOn)
            _transmitInterruptPending = isOn && _transmit.Count == 0;
    }

    private void WriteFifoControl(byte value)
    {
        bool toggled = ((_fifoControl ^ value) & FcrEnable) != 0;
        bool enabled = (value & FcrEnable) != 0;
        // The other bits count only in a write that leaves the FIFOs on.
        bool resetReceive = toggled || (enabled && (value & FcrResetReceive) != 0);
        bool resetTransmit = toggled || (enabled && (value & FcrResetTransmit) != 0);
        _fifoControl = enabled ? (byte)(value & FcrKeptMask) : (byte)0;
        if (resetReceive)
            _receive.Clear();
        if (resetTransmit && _transmit.Count > 0)
        {
            _transmit.Clear();
            _transmitInterruptPending = true;
        }

        ResumeInput();
    }

    private void WriteModemControl(byte value)
    {
        _modemControl = (byte)(value & McrMask);
        byte lines = Loopback ? LoopedModemLines(_modemControl) : IdleModemStatus;
        byte changed = (byte)((_modemStatus ^ lines) & ~MsrDeltaMask);
        int delta = (changed >> 4) & ~MsrRingDelta;
        if ((changed & MsrRing) != 0 && (lines & MsrRing) == 0)
            delta |= MsrRingDelta;
        _modemStatus = (byte)(lines | (_modemStatus & MsrDeltaMask) | delta);
        ResumeInput();
    }

    private static byte LoopedModemLines(byte modemControl)
    {
        int lines = 0;
        if ((modemControl & McrRts) != 0)
            lines |= MsrCts;
        if ((modemControl & McrDtr) != 0)
            lines |= MsrDsr;
        if ((modemControl & McrOut1) != 0)
            lines |= MsrRing;
        if ((modemControl & McrOut2) != 0)
            lines |= MsrCarrier;
        return (byte)lines;
    }

    private byte PendingCause()
    {
        if ((_interruptEnable & IerLineStatus) != 0 && (_lineErrors & LsrErrorMask) != 0)
            return IirLineStatus;
        if ((_interruptEnable & IerReceive) != 0 && _receive.Count > 0)
            return _receive.Count >= ReceiveTrigger ? IirReceive : IirReceiveTimeout;
        if ((_interruptEnable & IerTransmit) != 0 && _transmitInterruptPending)
            return IirTransmit;
        if ((_interruptEnable & IerModemStatus) != 0 && (_modemStatus & MsrDeltaMask) != 0)
            return IirModemStatus;
        return IirNone;
    }

    private void PumpTransmitter()
    {
        while (_transmit.Count > 0)
        {
            int accepted = Output.Write(_transmit.PeekContiguous());
            if (accepted == 0)
                return;
            _transmit.Discard(accepted);
        }

        _transmitInterruptPending = true;
    }

    private void OnOutputReady()
    {
        lock (_lock)
        {
            if (_transmit.Count > 0)
                PumpTransmitter();
            ResumeInput();
            UpdateLine();
        }
    }

    // Not before the receiver is empty: waking the backend for every byte the guest takes would cost a thread switch each.
    private void ResumeInput()
    {
        if (!_inputRefused || _receive.Count > 0 || !CanReceive)
            return;
        _inputRefused = false;
        _backend.ResumeInput();
    }

    // On a PC the port's interrupt output reaches the controller only with OUT2 on.
    private bool WantedLevel => (_modemControl & McrOut2) != 0 && PendingCause() != IirNone;

    private void UpdateLine()
    {
        if (WantedLevel != _lineLevel)
            DriveLine();
    }

    private void DriveLine()
    {
        _lineLevel = WantedLevel;
        _line.Set(_lineLevel);
    }
}
