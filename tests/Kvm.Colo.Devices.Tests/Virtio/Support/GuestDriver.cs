using System.Buffers.Binary;
using Kvm.Colo.Devices.Virtio;
using Kvm.Colo.Devices.Virtio.Mmio;
using Kvm.Colo.Memory;
using static Kvm.Colo.Devices.Virtio.Mmio.VirtioMmioRegisters;

namespace Kvm.Colo.Devices.Tests.Virtio.Support;

/// <summary>A guest's driver: knows the device through its MMIO window, its interrupt pin and guest memory only.</summary>
internal sealed class GuestDriver(GuestMemory memory, IMmioDevice window)
{
    public const ulong RingBase = 0x10_0000;
    public const ulong RingStride = 0x1_0000;
    public const uint StatusDriven = 3;
    public const uint StatusNegotiated = 11;
    public const uint StatusRunning = 15;

    public List<GuestQueue> Queues { get; } = [];

    public uint Status
    {
        get => Read(VirtioMmioRegisters.Status);
        set => Write(VirtioMmioRegisters.Status, value);
    }

    public ulong OfferedFeatures
    {
        get
        {
            Write(DeviceFeaturesSelect, 0);
            ulong low = Read(DeviceFeatures);
            Write(DeviceFeaturesSelect, 1);
            return low | ((ulong)Read(DeviceFeatures) << 32);
        }
    }

    public uint Read(ulong register)
    {
        Span<byte> data = stackalloc byte[4];
        window.Read(register, data);
        return BinaryPrimitives.ReadUInt32LittleEndian(data);
    }

    public void Write(ulong register, uint value)
    {
        Span<byte> data = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(data, value);
        window.Write(register, data);
    }

    public T ReadConfiguration<T>(ulong offset)
        where T : unmanaged, System.Numerics.IBinaryInteger<T>
    {
        Span<byte> data = stackalloc byte[T.AllBitsSet.GetByteCount()];
        window.Read(Configuration + offset, data);
        return T.ReadLittleEndian(data, isUnsigned: true);
    }

    public void SetDriverFeatures(ulong features)
    {
        Write(DriverFeaturesSelect, 0);
        Write(DriverFeatures, (uint)features);
        Write(DriverFeaturesSelect, 1);
        Write(DriverFeatures, (uint)(features >> 32));
    }

    /// <summary>Reset, then all steps up to FEATURES_OK.</summary>
    public void Negotiate(ulong features)
    {
        Status = 0;
        Status = 1;
        Status = StatusDriven;
        SetDriverFeatures(features);
        Status = StatusNegotiated;
        Assert.Equal(StatusNegotiated, Status);
    }

    /// <summary>Sets one queue up; zero asks for the device's largest size.</summary>
    public GuestQueue SetUpQueue(uint index, ushort size = 0)
    {
        Write(QueueSelect, index);
        size = size == 0 ? (ushort)Read(QueueSizeMax) : size;
        var queue = new GuestQueue(memory, size, RingBase + RingStride * index);
        memory.TryFill(new GuestPhysicalAddress(queue.Descriptors), 0, RingStride);
        Write(QueueSize, size);
        Write(QueueDescriptorLow, (uint)queue.Descriptors);
        Write(QueueDescriptorHigh, (uint)(queue.Descriptors >> 32));
        Write(QueueAvailableLow, (uint)queue.Available);
        Write(QueueAvailableHigh, (uint)(queue.Available >> 32));
        Write(QueueUsedLow, (uint)queue.Used);
        Write(QueueUsedHigh, (uint)(queue.Used >> 32));
        Write(QueueReady, 1);
        return queue;
    }

    /// <summary>The whole way to DRIVER_OK with every queue the device has.</summary>
    public void Start(ulong features, ushort queueSize = 0)
    {
        Negotiate(features | VirtioFeature.Version1);
        Queues.Clear();
        for (uint index = 0; ; index++)
        {
            Write(QueueSelect, index);
            if (Read(QueueSizeMax) == 0)
                break;
            Queues.Add(SetUpQueue(index, queueSize));
        }

        Status = StatusRunning;
    }

    public void Notify(uint queue) => Write(QueueNotify, queue);

    /// <summary>Reads and acknowledges InterruptStatus as an interrupt handler does.</summary>
    public uint TakeInterrupt()
    {
        uint status = Read(InterruptStatus);
        Write(InterruptAcknowledge, status);
        return status;
    }
}
