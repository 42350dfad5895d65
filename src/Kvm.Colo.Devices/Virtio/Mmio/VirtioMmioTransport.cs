using System.Buffers.Binary;
using static Kvm.Colo.Devices.Virtio.Mmio.VirtioMmioRegisters;

namespace Kvm.Colo.Devices.Virtio.Mmio;

/// <summary>
/// The MMIO transport, version 2 (virtio 1.2, section 4.2): one window of registers and one interrupt pin per device. Registers
/// below 0x100 answer aligned 32-bit accesses only. The interrupt line is high while InterruptStatus is not zero, so what a guest has not
/// acknowledged yet raises nothing again; it reaches the controller before the call that raises it returns.
/// </summary>
internal sealed partial class VirtioMmioTransport : IMmioDevice, IVirtioTransport, IDisposable
{
    /// <summary>Bytes of the window: 0x100 of registers and 0x100 of configuration.</summary>
    public const ulong WindowBytes = 0x200;

    /// <summary>Offset of QueueNotify, for the ioeventfd.</summary>
    public const ulong NotifyOffset = QueueNotify;

    private readonly VirtioDevice _device;
    private readonly IInterruptLine _line;

    // Not the device's: a guest that acknowledges an interrupt must not wait until the device has served a queue.
    private readonly Lock _interrupts = new();
    private uint _deviceFeaturesSelect;
    private uint _driverFeaturesSelect;
    private uint _queueSelect;
    private uint _interruptStatus;
    private bool _lineLevel;

    public VirtioMmioTransport(VirtioDevice device, IInterruptLine line)
    {
        _device = device;
        _line = line;
        device.Attach(this);
    }

    public VirtioDevice Device => _device;

    private Virtqueue? SelectedQueue => _queueSelect < _device.Queues.Count ? _device.Queues[(int)_queueSelect] : null;

    public void Read(ulong offset, Span<byte> data)
    {
        data.Clear();
        if (offset == InterruptStatus && data.Length == sizeof(uint))
        {
            BinaryPrimitives.WriteUInt32LittleEndian(data, Volatile.Read(ref _interruptStatus));
            return;
        }

        lock (_device.Gate)
        {
            if (offset >= Configuration)
            {
                _device.ReadConfiguration((int)Math.Min(offset - Configuration, WindowBytes), data);
                return;
            }

            if (data.Length != sizeof(uint) || offset % sizeof(uint) != 0)
            {
                _device.Faults.Report("register read of another size than four bytes", offset);
                return;
            }

            BinaryPrimitives.WriteUInt32LittleEndian(data, ReadRegister(offset));
        }
    }

    public void Write(ulong offset, ReadOnlySpan<byte> data)
    {
        if (offset == QueueNotify && data.Length == sizeof(uint))
        {
            NotifyQueue(BinaryPrimitives.ReadUInt32LittleEndian(data));
            return;
        }

        if (offset == InterruptAcknowledge && data.Length == sizeof(uint))
        {
            Acknowledge(BinaryPrimitives.ReadUInt32LittleEndian(data));
            return;
        }

        lock (_device.Gate)
        {
            if (offset >= Configuration)
                _device.WriteConfiguration((int)Math.Min(offset - Configuration, WindowBytes), data);
            else if (data.Length != sizeof(uint) || offset % sizeof(uint) != 0)
                _device.Faults.Report("register write of another size than four bytes", offset);
            else
                WriteRegister(offset, BinaryPrimitives.ReadUInt32LittleEndian(data));
        }
    }

    public void InterruptQueue() => Raise(VirtioMmioRegisters.InterruptQueue);

    public void InterruptConfiguration() => Raise(VirtioMmioRegisters.InterruptConfiguration);

    public void OnDeviceReset()
    {
        _deviceFeaturesSelect = 0;
        _driverFeaturesSelect = 0;
        _queueSelect = 0;
        Acknowledge(uint.MaxValue);
    }

    public void Capture(VirtioTransportState state)
    {
        state.DeviceFeaturesSelect = _deviceFeaturesSelect;
        state.DriverFeaturesSelect = _driverFeaturesSelect;
        state.QueueSelect = _queueSelect;
        state.InterruptStatus = _interruptStatus;
    }

    public void Apply(VirtioTransportState state)
    {
        _deviceFeaturesSelect = state.DeviceFeaturesSelect;
        _driverFeaturesSelect = state.DriverFeaturesSelect;
        _queueSelect = state.QueueSelect;

        // The interrupt controller's own state is loaded separately, so the pin is driven whatever we think its level is.
        lock (_interrupts)
        {
            _interruptStatus = state.InterruptStatus;
            _lineLevel = _interruptStatus != 0;
            _line.Set(_lineLevel);
        }
    }

    private uint ReadRegister(ulong offset) => offset switch
    {
        Magic => MagicNumber,
        VirtioMmioRegisters.Version => TransportVersion,
        DeviceId => _device.Identity.DeviceId,
        VendorId => Vendor,
        DeviceFeatures when _deviceFeaturesSelect < 2 => (uint)(_device.OfferedFeatures >> (int)(32 * _deviceFeaturesSelect)),
        QueueSizeMax => SelectedQueue?.MaxSize ?? 0u,
        QueueReady => SelectedQueue is { IsReady: true } ? 1u : 0u,
        VirtioMmioRegisters.Status => (uint)_device.Status,
        >= SharedMemoryLengthLow and <= SharedMemoryBaseHigh => uint.MaxValue, // there is no shared memory region
        ConfigurationGeneration => _device.ConfigurationGeneration,
        _ => 0,
    };

    private void WriteRegister(ulong offset, uint value)
    {
        switch (offset)
        {
            case DeviceFeaturesSelect:
                _deviceFeaturesSelect = value;
                break;
            case DriverFeatures:
                _device.WriteDriverFeatures(_driverFeaturesSelect, value);
                break;
            case DriverFeaturesSelect:
                _driverFeaturesSelect = value;
                break;
            case QueueSelect:
                _queueSelect = value;
                break;
            case VirtioMmioRegisters.Status:
                _device.WriteStatus(value);
                break;
            case SharedMemorySelect:
                break;
            default:
                WriteQueueRegister(offset, value);
                break;
        }
    }

    private void WriteQueueRegister(ulong offset, uint value)
    {
        if (SelectedQueue is not { } queue || !_device.AcceptsQueueSetup || (queue.IsReady && offset != QueueReady))
        {
            // A driver that tears down writes 0 to QueueReady of a queue that is not ready any more.
            if (offset != QueueReady || value != 0)
                _device.Faults.Report("register written at the wrong time or not writable", offset);
            return;
        }

        switch (offset)
        {
            case QueueSize when !queue.TrySetSize(value):
                _device.Faults.Report("illegal queue size", value);
                break;
            case QueueSize:
                break;
            case QueueReady:
                queue.SetReady((value & 1) != 0);
                break;
            case QueueDescriptorLow or QueueDescriptorHigh:
                queue.DescriptorTable = Merge(queue.DescriptorTable, value, offset == QueueDescriptorHigh);
                break;
            case QueueAvailableLow or QueueAvailableHigh:
                queue.AvailableRing = Merge(queue.AvailableRing, value, offset == QueueAvailableHigh);
                break;
            case QueueUsedLow or QueueUsedHigh:
                queue.UsedRing = Merge(queue.UsedRing, value, offset == QueueUsedHigh);
                break;
            default:
                _device.Faults.Report("write to a register that is not writable", offset);
                break;
        }
    }

    private static ulong Merge(ulong current, uint value, bool isHigh) =>
        isHigh ? (current & 0xFFFF_FFFF) | ((ulong)value << 32) : (current & 0xFFFF_FFFF_0000_0000) | value;

    private void Raise(uint cause)
    {
        lock (_interrupts)
        {
            _interruptStatus |= cause;
            UpdateLine();
        }
    }

    private void Acknowledge(uint causes)
    {
        lock (_interrupts)
        {
            _interruptStatus &= ~causes;
            UpdateLine();
        }
    }

    private void UpdateLine()
    {
        bool wanted = _interruptStatus != 0;
        if (wanted == _lineLevel)
            return;
        _lineLevel = wanted;
        _line.Set(wanted);
    }
}
