using Kvm.Colo.Devices.Tests.Virtio.Support;
using Kvm.Colo.Devices.Virtio;
using Kvm.Colo.Devices.Virtio.Mmio;
using Kvm.Colo.Memory;
using static Kvm.Colo.Devices.Virtio.Mmio.VirtioMmioRegisters;

namespace Kvm.Colo.Devices.Tests.Virtio.Fuzz;

/// <summary>
/// A hostile guest with a fixed seed: it starts the device as a driver would, then writes what it likes into rings, descriptors,
/// requests and registers, notifies, resets in mid-flight, and is checkpointed meanwhile.
/// </summary>
internal sealed class DeviceFuzzer<TDevice>(VirtioBench<TDevice> bench, Random random, ulong features, Action hostEvent)
    where TDevice : VirtioDevice
{
    private const ulong Scratch = VirtioBench<TDevice>.Buffers;
    private static readonly ulong[] s_registers =
    [
        DeviceFeaturesSelect, DriverFeatures, DriverFeaturesSelect, QueueSelect, QueueSize, QueueReady, QueueNotify,
        InterruptAcknowledge, VirtioMmioRegisters.Status, QueueDescriptorLow, QueueDescriptorHigh, QueueAvailableLow,
        QueueAvailableHigh, QueueUsedLow, QueueUsedHigh, SharedMemorySelect, ConfigurationGeneration, Configuration, Magic,
    ];

    private readonly byte[] _data = new byte[64];
    private readonly ushort[] _available = new ushort[8];
    private byte[]? _saved;

    /// <summary>Every so many operations the guest looks whether its device still works.</summary>
    public const int LookInterval = 64;

    /// <summary>How often the guest found its device working.</summary>
    public long WorkingLooks { get; private set; }

    /// <summary>Runs so many operations of the guest; returns how often the guest had to reset a broken device.</summary>
    public int Run(long operations)
    {
        int restarts = 0;
        Start();
        for (long operation = 0; operation < operations; operation++)
        {
            Step();
            if (operation % LookInterval != 0)
                continue;
            if ((bench.Driver.Status & 0xC4) == 4)
            {
                WorkingLooks++;
                continue;
            }

            restarts++;
            Start();
        }

        bench.Device.Resume();
        Reset();
        bench.Loop.RunPosted();
        return restarts;
    }

    /// <summary>Only writes to memory, for a vCPU that does so while the device works; the driver must have been started.</summary>
    public void Disturb(long operations)
    {
        for (long operation = 0; operation < operations; operation++)
        {
            switch (random.Next(8))
            {
                case < 4:
                    WriteDescriptor();
                    break;
                case < 6:
                    OfferChain();
                    break;
                case 6:
                    WriteRequest();
                    break;
                default:
                    Scribble();
                    break;
            }
        }
    }

    private void Start()
    {
        bench.Device.Resume();
        Reset();
        bench.Driver.Start(random.Next(4) == 0 ? features & (ulong)random.NextInt64() : features);
        Array.Clear(_available);
        bench.Loop.RunPosted(100);
    }

    // A reset waits for the host, which here is this very thread: what is held is let go first.
    private void Reset()
    {
        hostEvent();
        bench.Driver.Status = 0;
    }

    private void Step()
    {
        switch (random.Next(40))
        {
            case < 12:
                WriteDescriptor();
                break;
            case < 22:
                OfferChain();
                break;
            case < 28:
                bench.Driver.Notify((uint)random.Next(bench.Device.Queues.Count));
                break;
            case < 31:
                WriteRequest();
                break;
            case < 33:
                hostEvent();
                break;
            case < 35:
                bench.Loop.RunPosted(20);
                break;
            case 35:
                Scribble();
                break;
            case 36:
                WriteRegister();
                break;
            case 37:
                Checkpoint();
                break;
            case 38:
                bench.Driver.TakeInterrupt();
                break;
            default:
                bench.Transport.Read((ulong)random.Next(0x220), _data.AsSpan(0, 1 << random.Next(4)));
                break;
        }
    }

    private GuestQueue RandomQueue(out int index)
    {
        index = random.Next(bench.Driver.Queues.Count);
        return bench.Driver.Queues[index];
    }

    private void WriteDescriptor()
    {
        GuestQueue queue = RandomQueue(out _);
        ulong table = random.Next(4) == 0 ? Scratch + 0x10_0000 : queue.Descriptors;
        int index = random.Next(queue.Size);
        ushort flags = (ushort)(random.Next(16) == 0 ? random.Next(65536) : random.Next(4) + (random.Next(8) == 0 ? 4 : 0));
        ushort next = (ushort)(random.Next(16) == 0 ? random.Next(65536) : random.Next(queue.Size));
        bench.Driver.Queues[0].WriteDescriptor(table, index, RandomAddress(), RandomLength(), flags, next);
    }

    private ulong RandomAddress() => random.Next(20) switch
    {
        0 => (ulong)random.NextInt64(),
        1 => ulong.MaxValue - (ulong)random.Next(64),
        2 => VirtioBench<TDevice>.RamBytes - (ulong)random.Next(64),
        3 => GuestDriver.RingBase + (ulong)random.Next(0x3_0000),
        4 => Scratch + 0x10_0000,
        _ => Scratch + (ulong)random.Next(0x8_0000),
    };

    private uint RandomLength() => random.Next(12) switch
    {
        0 => (uint)random.NextInt64(),
        1 => 0,
        2 => (uint)random.Next(1 << 20),
        3 => 1,
        4 => 16u * (uint)random.Next(1, 20),
        < 8 => 512u * (uint)random.Next(1, 8),
        _ => (uint)random.Next(1, 64),
    };

    private void OfferChain()
    {
        GuestQueue queue = RandomQueue(out int index);
        ushort head = (ushort)(random.Next(3000) == 0 ? random.Next(65536) : random.Next(queue.Size));
        ulong entry = queue.Available + 4 + 2ul * (ushort)(_available[index] % queue.Size);
        bench.Memory.TryWrite(new GuestPhysicalAddress(entry), head);
        _available[index] += (ushort)(random.Next(3000) == 0 ? random.Next(65536) : 1);
        bench.Memory.TryWriteRelease(new GuestPhysicalAddress(queue.Available + 2), _available[index]);
    }

    // What request headers look like: small numbers in little-endian places.
    private void WriteRequest()
    {
        random.NextBytes(_data);
        if (random.Next(4) != 0)
        {
            _data.AsSpan().Clear();
            _data[0] = (byte)random.Next(16);
            _data[1] = (byte)(random.Next(4) == 0 ? random.Next(8) : 0);
            _data[8] = (byte)random.Next(256);
            _data[9] = (byte)random.Next(4);
        }

        bench.Memory.TryWrite(new GuestPhysicalAddress(Scratch + (ulong)random.Next(0x8_0000)), _data);
    }

    private void Scribble()
    {
        random.NextBytes(_data);
        int length = random.Next(1, random.Next(8) == 0 ? _data.Length : 3);
        ulong at = GuestDriver.RingBase + (ulong)random.Next(0x3_0000);
        bench.Memory.TryWrite(new GuestPhysicalAddress(at), _data.AsSpan(0, length));
    }

    private void WriteRegister()
    {
        if (random.Next(8) == 0)
        {
            random.NextBytes(_data);
            bench.Transport.Write((ulong)random.Next(0x220), _data.AsSpan(0, 1 << random.Next(4)));
            return;
        }

        // Mostly harmless values, or the device would spend the run being reset.
        uint value = random.Next(4) == 0 ? (uint)random.NextInt64() : (uint)random.Next(4);
        ulong register = s_registers[random.Next(s_registers.Length)];
        if (register != VirtioMmioRegisters.Status)
            bench.Driver.Write(register, value);
        else if (value == 0 && random.Next(10) == 0)
            Reset();
        else if (value != 0 && random.Next(10) == 0)
            bench.Driver.Status = value;
    }

    private void Checkpoint()
    {
        if (random.Next(3) != 0)
        {
            bench.Device.Resume();
            return;
        }

        hostEvent();
        if (!bench.Device.TryQuiesce(TimeSpan.Zero))
            return;
        if (random.Next(50) == 0)
        {
            byte[] now = SavedState.Save(bench.Device);
            if (_saved is not null && random.Next(2) == 0)
                SavedState.Load(bench.Device, _saved);
            _saved = now;
        }
    }
}
