using Kvm.Colo.Devices;
using Kvm.Colo.Devices.Acpi;
using Kvm.Colo.Devices.Diagnostics;
using Kvm.Colo.Devices.I8042;
using Kvm.Colo.Devices.Rtc;
using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Kvm;
using Kvm.Colo.Machine.Acpi;
using Kvm.Colo.Memory;
using Kvm.Colo.Stream;
using Microsoft.Extensions.Logging;

namespace Kvm.Colo.Machine;

/// <summary>The devices of one machine and the buses they sit on; built once, owned by the machine.</summary>
internal sealed class MachineDevices : IDisposable
{
    private const uint SerialGsi = 4;
    private const uint AcpiGsi = 9;

    private readonly ISerialBackend _serialBackend;
    private readonly I8042Device _keyboard;
    private readonly RtcDevice _rtc;
    private readonly AcpiPowerDevice _power;

    public MachineDevices(MachineConfig config, KvmVm vm, GuestMemory memory, IMachineControl control, ILogger logger, TimeProvider time)
    {
        ulong low = Math.Min(config.MemoryBytes, GuestMemory.LowRamLimit);
        _serialBackend = config.Serial;
        Serial = new Serial16550Device(new Serial16550Config { Irq = SerialGsi }, new KvmInterruptLine(vm, SerialGsi), config.Serial);
        _keyboard = new I8042Device(control);
        _rtc = new RtcDevice(new RtcConfig(low, config.MemoryBytes - low), time);
        Io = new MachineIo(config, vm, memory, logger, time);
        _power = new AcpiPowerDevice(new AcpiPowerConfig { Irq = AcpiGsi }, control, new KvmInterruptLine(vm, AcpiGsi));
        Ports = new PortBus(
            [
                new PortRange(Serial.Config.BasePort, Serial16550Config.PortCount, "serial", Serial),
                .. _keyboard.Ports,
                _rtc.Ports,
                _power.Ports,
                new DebugExitDevice(control).Ports,
                new PvpanicDevice(control).Ports,
                .. new DelayPortDevice().Ports,
            ],
            logger,
            time);
        Mmio = new MmioBus([.. Io.Ranges], logger, time);
        StateOwners = [Serial, _keyboard, _rtc, _power, .. Io.StateOwners];
        Acpi = new AcpiConfig
        {
            VcpuCount = config.Cpus,
            SerialPorts = [Serial.Config],
            VirtioDevices = Io.AcpiDevices,
            Power = _power.Config,
            HasRtc = true,
        };
    }

    public PortBus Ports { get; }

    public MmioBus Mmio { get; }

    public Serial16550Device Serial { get; }

    public AcpiPowerDevice Power => _power;

    /// <summary>The virtio devices.</summary>
    public MachineIo Io { get; }

    public IReadOnlyList<IStateOwner> StateOwners { get; }

    /// <summary>What the guest's firmware tables say.</summary>
    public AcpiConfig Acpi { get; }

    /// <summary>Opens the host's ends for input.</summary>
    public void Start()
    {
        Serial.Start();
        Io.Start();
    }

    /// <summary>Every device returns to its power-on state.</summary>
    public void Reset()
    {
        Serial.Reset();
        _keyboard.Reset();
        _rtc.Reset();
        _power.Reset();
        Io.Reset();
    }

    public void Dispose()
    {
        Io.Dispose();
        _serialBackend.Flush(TimeSpan.FromSeconds(2));
        _serialBackend.Dispose();
    }
}
