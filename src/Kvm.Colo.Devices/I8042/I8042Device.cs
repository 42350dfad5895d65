namespace Kvm.Colo.Devices.I8042;

/// <summary>
/// The keyboard controller as far as a machine without a keyboard needs it: the reset pulse, the self test, the output port with
/// its A20 bit (A20 is always on here), and port 0x92. Any vCPU thread may call; one lock.
/// </summary>
internal sealed partial class I8042Device(IMachineControl control) : IPortDevice
{
    public const ushort DataPort = 0x60;
    public const ushort CommandPort = 0x64;
    public const ushort SystemControlPort = 0x92;

    private const byte StatusOutputFull = 0x01;
    private const byte StatusSystem = 0x04;
    private const byte StatusCommand = 0x08;
    private const byte StatusUnlocked = 0x10;
    private const byte StatusTimeout = 0x40;
    private const byte OutputPortReset = 0x01;
    private const byte OutputPortA20 = 0x02;
    private const byte PowerOnCommandByte = 0x74;
    private const byte NoDevice = 0x01;
    private const byte ResendResponse = 0xFE;

    private readonly Lock _lock = new();
    private byte _commandByte = PowerOnCommandByte;
    private byte _outputPort = OutputPortReset | OutputPortA20;
    private byte _status = StatusSystem | StatusUnlocked;
    private byte _output;
    private byte _pendingCommand;

    /// <summary>The ports to put on the bus; 0x61 between them belongs to the PIT in the kernel.</summary>
    public IReadOnlyList<PortRange> Ports =>
    [
        new(DataPort, 1, "i8042", this),
        new(CommandPort, 1, "i8042", this, CommandPort - DataPort),
        new(SystemControlPort, 1, "port92", this, SystemControlPort - DataPort),
    ];

    public void Read(ushort offset, Span<byte> data)
    {
        lock (_lock)
        {
            data.Fill(0xFF);
            data[0] = (offset + DataPort) switch
            {
                DataPort => ReadData(),
                CommandPort => _status,
                _ => (byte)(_outputPort & OutputPortA20),
            };
        }
    }

    public void Write(ushort offset, ReadOnlySpan<byte> data)
    {
        bool reset;
        lock (_lock)
        {
            reset = (offset + DataPort) switch
            {
                DataPort => WriteData(data[0]),
                CommandPort => WriteCommand(data[0]),
                _ => (data[0] & 1) != 0,
            };
        }

        if (reset)
            control.RequestReset();
    }

    public void Reset()
    {
        lock (_lock)
        {
            _commandByte = PowerOnCommandByte;
            _outputPort = OutputPortReset | OutputPortA20;
            _status = StatusSystem | StatusUnlocked;
            _output = 0;
            _pendingCommand = 0;
        }
    }

    private byte ReadData()
    {
        _status &= unchecked((byte)~(StatusOutputFull | StatusTimeout));
        return _output;
    }

    private void Respond(byte value)
    {
        _output = value;
        _status |= StatusOutputFull;
    }

    private bool WriteCommand(byte command)
    {
        _status |= StatusCommand;
        _pendingCommand = 0;
        switch (command)
        {
            case 0x20:
                Respond(_commandByte);
                return false;
            case 0x60 or 0xD1 or 0xD2 or 0xD3 or 0xD4:
                _pendingCommand = command;
                return false;
            case 0xA9 or 0xAB:
                Respond(NoDevice);
                return false;
            case 0xAA:
                _commandByte = PowerOnCommandByte;
                Respond(0x55);
                return false;
            case 0xAD:
                _commandByte |= 0x10;
                return false;
            case 0xAE:
                _commandByte &= 0xEF;
                return false;
            case 0xA7:
                _commandByte |= 0x20;
                return false;
            case 0xA8:
                _commandByte &= 0xDF;
                return false;
            case 0xD0:
                Respond(_outputPort);
                return false;
            default:
                // 0xF0 to 0xFF pulse the output port bits whose mask bit is clear; bit 0 is the CPU's reset line.
                return (command & 0xF1) == 0xF0;
        }
    }

    private bool WriteData(byte value)
    {
        byte command = _pendingCommand;
        _pendingCommand = 0;
        _status &= unchecked((byte)~StatusCommand);
        switch (command)
        {
            case 0x60:
                _commandByte = value;
                return false;
            case 0xD1:
                _outputPort = (byte)(value | OutputPortA20 | OutputPortReset);
                return (value & OutputPortReset) == 0;
            case 0xD2 or 0xD3:
                Respond(value);
                return false;
            default:
                // Nobody is plugged in: the controller itself answers, with its time-out bit.
                Respond(ResendResponse);
                _status |= StatusTimeout;
                return false;
        }
    }
}
