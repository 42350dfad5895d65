using Microsoft.Extensions.Logging;

namespace Kvm.Colo.Devices;

/// <summary>
/// Device windows in guest-physical address space, found by binary search. Immutable once built, so any vCPU thread reads it
/// without a lock. Nothing a device does gets past it: an exception is counted, logged and answered with all ones.
/// </summary>
internal sealed class MmioBus
{
    private readonly MmioRange[] _ranges;
    private readonly DeviceFaultLog[] _faultLogs;

    /// <summary>Builds the address map; it never changes afterwards.</summary>
    /// <exception cref="ArgumentException">Two windows overlap, or one is empty or wraps.</exception>
    public MmioBus(IReadOnlyList<MmioRange> ranges, ILogger logger, TimeProvider time)
    {
        _ranges = [.. ranges];
        Array.Sort(_ranges, static (a, b) => a.Start.CompareTo(b.Start));
        _faultLogs = new DeviceFaultLog[_ranges.Length];
        for (int i = 0; i < _ranges.Length; i++)
        {
            MmioRange range = _ranges[i];
            if (range.SizeBytes == 0 || range.SizeBytes > ulong.MaxValue - range.Start)
                throw new ArgumentException($"{range.Name}: {range.SizeBytes} bytes at 0x{range.Start:x} are no window");
            if (i > 0 && range.Start - _ranges[i - 1].Start < _ranges[i - 1].SizeBytes)
                throw new ArgumentException($"{range.Name}: 0x{range.Start:x} belongs to {_ranges[i - 1].Name}");
            _faultLogs[i] = new DeviceFaultLog(logger, time);
        }
    }

    public BusCounters Counters { get; } = new();

    /// <summary>Answers a read of 1 to 8 bytes. An access outside or across the end of a window reads as all ones.</summary>
    public void Read(ulong address, Span<byte> data)
    {
        if (!TryFind(address, data.Length, out int index))
        {
            data.Fill(0xFF);
            Counters.CountUnknownRead();
            return;
        }

        ref readonly MmioRange range = ref _ranges[index];
        try
        {
            range.Device.Read(address - range.Start, data);
        }
        catch (Exception e)
        {
            data.Fill(0xFF);
            Fault(index, e);
        }
    }

    /// <summary>Carries out a write of 1 to 8 bytes. An access outside or across the end of a window is dropped.</summary>
    public void Write(ulong address, ReadOnlySpan<byte> data)
    {
        if (!TryFind(address, data.Length, out int index))
        {
            Counters.CountUnknownWrite();
            return;
        }

        ref readonly MmioRange range = ref _ranges[index];
        try
        {
            range.Device.Write(address - range.Start, data);
        }
        catch (Exception e)
        {
            Fault(index, e);
        }
    }

    private bool TryFind(ulong address, int length, out int index)
    {
        int low = 0;
        int high = _ranges.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            ref readonly MmioRange range = ref _ranges[middle];
            if (address < range.Start)
            {
                high = middle - 1;
            }
            else if (address - range.Start >= range.SizeBytes)
            {
                low = middle + 1;
            }
            else
            {
                index = middle;
                return (ulong)length <= range.SizeBytes - (address - range.Start);
            }
        }

        index = -1;
        return false;
    }

    private void Fault(int index, Exception e)
    {
        Counters.CountDeviceFault();
        _faultLogs[index].Report(_ranges[index].Name, e);
    }
}
