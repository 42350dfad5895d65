using Microsoft.Extensions.Logging;

namespace Kvm.Colo.Devices;

/// <summary>
/// The 64 Ki I/O ports of the machine. Immutable once built, so any vCPU thread reads it without a lock. Nothing a device does
/// gets past it: an exception is counted, logged and answered with all ones.
/// </summary>
internal sealed class PortBus
{
    private const int PortCount = 0x10000;
    private const int MaxRanges = byte.MaxValue;

    // Index into _ranges plus one; zero is a port without a device.
    private readonly byte[] _rangeOfPort = new byte[PortCount];
    private readonly PortRange[] _ranges;
    private readonly DeviceFaultLog[] _faultLogs;

    /// <summary>Builds the port map; it never changes afterwards.</summary>
    /// <exception cref="ArgumentException">
    /// Two ranges overlap, one is empty or leaves the port space, or there are too many.
    /// </exception>
    public PortBus(IReadOnlyList<PortRange> ranges, ILogger logger, TimeProvider time)
    {
        if (ranges.Count > MaxRanges)
            throw new ArgumentException($"{ranges.Count} port ranges, at most {MaxRanges} are possible", nameof(ranges));
        _ranges = [.. ranges];
        _faultLogs = new DeviceFaultLog[_ranges.Length];
        for (int i = 0; i < _ranges.Length; i++)
        {
            Claim(i);
            _faultLogs[i] = new DeviceFaultLog(logger, time);
        }
    }

    public BusCounters Counters { get; } = new();

    /// <summary>Answers a port read of 1, 2 or 4 bytes. Ports without a device read as all ones.</summary>
    public void Read(ushort port, Span<byte> data)
    {
        int index = _rangeOfPort[port] - 1;
        if (index >= 0 && data.Length <= _ranges[index].Start + _ranges[index].Count - port)
            ReadDevice(index, port, data);
        else if (data.Length > 1)
            ReadBytewise(port, data);
        else
            ReadNobody(data);
    }

    /// <summary>Carries out a port write of 1, 2 or 4 bytes. Bytes for ports without a device are dropped.</summary>
    public void Write(ushort port, ReadOnlySpan<byte> data)
    {
        int index = _rangeOfPort[port] - 1;
        if (index >= 0 && data.Length <= _ranges[index].Start + _ranges[index].Count - port)
            WriteDevice(index, port, data);
        else if (data.Length > 1)
            WriteBytewise(port, data);
        else
            Counters.CountUnknownWrite();
    }

    private void Claim(int index)
    {
        PortRange range = _ranges[index];
        if (range.Count <= 0 || range.Count > PortCount - range.Start)
            throw new ArgumentException($"{range.Name}: {range.Count} ports at 0x{range.Start:x} leave the port space");
        for (int port = range.Start; port < range.Start + range.Count; port++)
        {
            if (_rangeOfPort[port] != 0)
                throw new ArgumentException($"{range.Name}: port 0x{port:x} belongs to {_ranges[_rangeOfPort[port] - 1].Name}");
            _rangeOfPort[port] = (byte)(index + 1);
        }
    }

    // An access that reaches past its device is what the ISA bus makes of it: one cycle per port.
    private void ReadBytewise(ushort port, Span<byte> data)
    {
        for (int i = 0; i < data.Length; i++)
        {
            if (port + i < PortCount)
                Read((ushort)(port + i), data.Slice(i, 1));
            else
                ReadNobody(data.Slice(i, 1));
        }
    }

    private void WriteBytewise(ushort port, ReadOnlySpan<byte> data)
    {
        for (int i = 0; i < data.Length; i++)
        {
            if (port + i < PortCount)
                Write((ushort)(port + i), data.Slice(i, 1));
            else
                Counters.CountUnknownWrite();
        }
    }

    private void ReadNobody(Span<byte> data)
    {
        data.Fill(0xFF);
        Counters.CountUnknownRead();
    }

    private void ReadDevice(int index, ushort port, Span<byte> data)
    {
        ref readonly PortRange range = ref _ranges[index];
        try
        {
            range.Device.Read((ushort)(port - range.Start + range.DeviceOffset), data);
        }
        catch (Exception e)
        {
            data.Fill(0xFF);
            Fault(index, e);
        }
    }

    private void WriteDevice(int index, ushort port, ReadOnlySpan<byte> data)
    {
        ref readonly PortRange range = ref _ranges[index];
        try
        {
            range.Device.Write((ushort)(port - range.Start + range.DeviceOffset), data);
        }
        catch (Exception e)
        {
            Fault(index, e);
        }
    }

    private void Fault(int index, Exception e)
    {
        Counters.CountDeviceFault();
        _faultLogs[index].Report(_ranges[index].Name, e);
    }
}
