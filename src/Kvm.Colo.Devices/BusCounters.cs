namespace Kvm.Colo.Devices;

/// <summary>What went past the devices of one bus. Written by vCPU threads, read by anyone.</summary>
internal sealed class BusCounters
{
    private long _unknownReads;
    private long _unknownWrites;
    private long _deviceFaults;

    /// <summary>Reads nobody answered; the guest got all ones.</summary>
    public long UnknownReads => Volatile.Read(ref _unknownReads);

    /// <summary>Writes nobody took.</summary>
    public long UnknownWrites => Volatile.Read(ref _unknownWrites);

    /// <summary>Accesses that made a device throw.</summary>
    public long DeviceFaults => Volatile.Read(ref _deviceFaults);

    public void CountUnknownRead() => Interlocked.Increment(ref _unknownReads);

    public void CountUnknownWrite() => Interlocked.Increment(ref _unknownWrites);

    public void CountDeviceFault() => Interlocked.Increment(ref _deviceFaults);
}
