namespace Kvm.Colo.Devices.Rtc;

/// <summary>
/// An MC146818 clock with 128 bytes of CMOS at ports 0x70 and 0x71. The time is the host's UTC plus an offset the guest sets, so
/// a guest that moves keeps its clock as far as the hosts agree. The flags of register C follow the clock; there is no interrupt
/// and the alarm never fires. Any vCPU thread may call; one lock.
/// </summary>
internal sealed partial class RtcDevice : IPortDevice
{
    public const ushort IndexPort = 0x70;
    public const int PortCount = 2;
    public const int CmosBytes = 128;

    private const byte Seconds = 0x00;
    private const byte Minutes = 0x02;
    private const byte Hours = 0x04;
    private const byte DayOfWeek = 0x06;
    private const byte DayOfMonth = 0x07;
    private const byte Month = 0x08;
    private const byte Year = 0x09;
    private const byte RegisterA = 0x0A;
    private const byte RegisterB = 0x0B;
    private const byte RegisterC = 0x0C;
    private const byte RegisterD = 0x0D;
    private const byte Century = 0x32;

    private const byte UpdateInProgress = 0x80;
    private const byte DividerNormal = 0x26;
    private const byte SetMode = 0x80;
    private const byte BinaryMode = 0x04;
    private const byte Mode24Hours = 0x02;
    private const byte Afternoon = 0x80;
    private const byte PeriodicFlag = 0x40;
    private const byte UpdateFlag = 0x10;
    private const byte ValidRamAndTime = 0x80;

    // The chip announces an update 244 us ahead, so that a reader has that long to finish.
    private const long UpdateLeadTicks = 244 * TimeSpan.TicksPerMicrosecond;

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly RtcConfig _config;
    private readonly byte[] _cmos = new byte[CmosBytes];
    private byte _index;
    private long _offsetTicks;
    private long _flagsReadAtTicks;

    public RtcDevice(RtcConfig config, TimeProvider time)
    {
        _config = config;
        _time = time;
        SetPowerOn();
    }

    public PortRange Ports => new(IndexPort, PortCount, "rtc", this);

    public void Read(ushort offset, Span<byte> data)
    {
        lock (_lock)
        {
            for (int i = 0; i < data.Length; i++)
                data[i] = offset + i == 1 ? ReadRegister(_index) : (byte)0xFF;
        }
    }

    public void Write(ushort offset, ReadOnlySpan<byte> data)
    {
        lock (_lock)
        {
            for (int i = 0; i < data.Length; i++)
            {
                if (offset + i == 0)
                    _index = (byte)(data[i] & 0x7F);
                else if (offset + i == 1)
                    WriteRegister(_index, data[i]);
            }
        }
    }

    /// <summary>Power-on state of the registers. The clock has a battery: the time the guest set stays.</summary>
    public void Reset()
    {
        lock (_lock)
            SetPowerOn();
    }

    private bool InSetMode => (_cmos[RegisterB] & SetMode) != 0;

    private DateTime Now => ToDateTime(NowTicks);

    private long NowTicks => _time.GetUtcNow().UtcTicks + _offsetTicks;

    private static DateTime ToDateTime(long ticks) =>
        new(Math.Clamp(ticks, DateTime.MinValue.Ticks, DateTime.MaxValue.Ticks), DateTimeKind.Utc);

    private void SetPowerOn()
    {
        Array.Clear(_cmos);
        _index = 0;
        _cmos[RegisterA] = DividerNormal;
        _cmos[RegisterB] = Mode24Hours;
        _flagsReadAtTicks = NowTicks;
        StoreMemorySizes();
    }

    // The layout every PC BIOS uses: base and extended memory in KiB, the rest in units of 64 KiB.
    private void StoreMemorySizes()
    {
        ulong extendedKib = Math.Min(Subtract(_config.LowRamBytes, 1ul << 20) >> 10, 0xFFFF);
        ulong above16M = Math.Min(Subtract(_config.LowRamBytes, 16ul << 20) >> 16, 0xFFFF);
        ulong above4G = Math.Min(_config.HighRamBytes >> 16, 0xFF_FFFF);
        Store(0x15, Math.Min(_config.LowRamBytes >> 10, 640), 2);
        Store(0x17, extendedKib, 2);
        Store(0x30, extendedKib, 2);
        Store(0x34, above16M, 2);
        Store(0x5B, above4G, 3);
    }

    private static ulong Subtract(ulong value, ulong part) => value > part ? value - part : 0;

    private void Store(int index, ulong value, int bytes)
    {
        for (int i = 0; i < bytes; i++)
            _cmos[index + i] = (byte)(value >> (8 * i));
    }

    private static bool IsTimeRegister(byte index) =>
        index is Seconds or Minutes or Hours or DayOfWeek or DayOfMonth or Month or Year or Century;

    private byte ReadRegister(byte index) => index switch
    {
        RegisterA => ReadRegisterA(),
        RegisterC => ReadFlags(),
        RegisterD => ValidRamAndTime,
        _ when IsTimeRegister(index) && !InSetMode => EncodeTime(index, Now),
        _ => _cmos[index],
    };

    private byte ReadRegisterA()
    {
        bool updating = !InSetMode && TimeSpan.TicksPerSecond - Math.Abs(NowTicks % TimeSpan.TicksPerSecond) <= UpdateLeadTicks;
        return (byte)(_cmos[RegisterA] | (updating ? UpdateInProgress : 0));
    }

    private byte ReadFlags()
    {
        long now = NowTicks;
        int flags = 0;
        if (!InSetMode && now / TimeSpan.TicksPerSecond != _flagsReadAtTicks / TimeSpan.TicksPerSecond)
            flags |= UpdateFlag;
        int rate = _cmos[RegisterA] & 0x0F;
        // Rates 1 and 2 repeat 8 and 9; the period is 2^(rate-1) cycles of 32768 Hz.
        if (rate is 1 or 2)
            rate += 7;
        if (rate != 0)
        {
            long period = (TimeSpan.TicksPerSecond << (rate - 1)) / 32768;
            if (now / period != _flagsReadAtTicks / period)
                flags |= PeriodicFlag;
        }

        _flagsReadAtTicks = now;
        return (byte)flags;
    }

    private void WriteRegister(byte index, byte value)
    {
        switch (index)
        {
            case RegisterA:
                _cmos[RegisterA] = (byte)(value & ~UpdateInProgress);
                break;
            case RegisterB:
                WriteRegisterB(value);
                break;
            case RegisterC or RegisterD:
                break;
            case var _ when IsTimeRegister(index) && !InSetMode:
                LatchTime();
                _cmos[index] = value;
                SetTimeFromRegisters();
                break;
            default:
                _cmos[index] = value;
                break;
        }
    }

    private void WriteRegisterB(byte value)
    {
        bool wasSetting = InSetMode;
        if (!wasSetting && (value & SetMode) != 0)
            LatchTime();
        _cmos[RegisterB] = value;
        if (wasSetting && !InSetMode)
            SetTimeFromRegisters();
    }

    private void LatchTime()
    {
        DateTime now = Now;
        foreach (byte index in (ReadOnlySpan<byte>)[Seconds, Minutes, Hours, DayOfWeek, DayOfMonth, Month, Year, Century])
            _cmos[index] = EncodeTime(index, now);
    }

    private byte EncodeTime(byte index, DateTime time) => index switch
    {
        Seconds => Encode(time.Second),
        Minutes => Encode(time.Minute),
        Hours => EncodeHour(time.Hour),
        DayOfWeek => Encode((int)time.DayOfWeek + 1),
        DayOfMonth => Encode(time.Day),
        Month => Encode(time.Month),
        Year => Encode(time.Year % 100),
        _ => Encode(time.Year / 100),
    };

    private byte EncodeHour(int hour)
    {
        if ((_cmos[RegisterB] & Mode24Hours) != 0)
            return Encode(hour);
        byte value = Encode(hour % 12 == 0 ? 12 : hour % 12);
        return hour >= 12 ? (byte)(value | Afternoon) : value;
    }

    private byte Encode(int value) =>
        (_cmos[RegisterB] & BinaryMode) != 0 ? (byte)value : (byte)(((value / 10) << 4) | (value % 10));

    private int Decode(byte value) => (_cmos[RegisterB] & BinaryMode) != 0 ? value : ((value >> 4) * 10) + (value & 0x0F);

    private int DecodeHour(byte value)
    {
        if ((_cmos[RegisterB] & Mode24Hours) != 0)
            return Decode(value);
        return (Decode((byte)(value & ~Afternoon)) % 12) + ((value & Afternoon) != 0 ? 12 : 0);
    }

    // A date that does not exist changes nothing: the clock goes on as it was.
    private void SetTimeFromRegisters()
    {
        int year = (Decode(_cmos[Century]) * 100) + Decode(_cmos[Year]);
        int month = Decode(_cmos[Month]);
        int day = Decode(_cmos[DayOfMonth]);
        int hour = DecodeHour(_cmos[Hours]);
        int minute = Decode(_cmos[Minutes]);
        int second = Decode(_cmos[Seconds]);
        bool exists = year is >= 1 and <= 9999 && month is >= 1 and <= 12 && day >= 1 && day <= DateTime.DaysInMonth(year, month)
            && hour < 24 && minute < 60 && second < 60;
        if (!exists)
            return;
        DateTime wanted = new(year, month, day, hour, minute, second, DateTimeKind.Utc);
        _offsetTicks = wanted.Ticks - _time.GetUtcNow().UtcTicks;
        _flagsReadAtTicks = wanted.Ticks;
    }
}
