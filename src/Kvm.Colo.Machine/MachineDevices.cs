using Kvm.Colo.Devices;
using Kvm.Colo.Devices.Acpi;
using Kvm.Colo.Devices.Diagnostics;
using Kvm.Colo.Devices.Generation;
using Kvm.Colo.Devices.I8042;
using Kvm.Colo.Devices.Rtc;
using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Kvm;
using Kvm.Colo.Machine.Acpi;
using Kvm.Colo.Machine.Loaders;
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
    private readonly ISerialBackend? _consoleBackend;
    private readonly I8042Device _keyboard;
    private readonly RtcDevice _rtc;
    private readonly AcpiPowerDevice _power;

    public MachineDevices(MachineConfig config, KvmVm vm, GuestMemory memory, IMachineControl control, ILogger logger, TimeProvider time)
    {
        ulong low = Math.Min(config.MemoryBytes, GuestMemory.LowRamLimit);
        _serialBackend = config.Serial;
        _consoleBackend = config.Console;
        Serial = new Serial16550Device(new Serial16550Config { Irq = SerialGsi }, new KvmInterruptLine(vm, SerialGsi), config.Serial);
        _keyboard = new I8042Device(control);
        _rtc = new RtcDevice(new RtcConfig(low, config.MemoryBytes - low), time);
        Io = new MachineIo(config, vm, memory, logger, time);
        _power = new AcpiPowerDevice(new AcpiPowerConfig { Irq = AcpiGsi }, control, new KvmInterruptLine(vm, AcpiGsi));
        if (config.HasGenerationId)
        {
            VmGenerationConfig place = new(new GuestPhysicalAddress(BootLayout.VmGeneration), config.GenerationId);
            Generation = new VmGenerationDevice(memory, place, _power.AnnounceGeneration);
        }

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
        StateOwners = [Serial, _keyboard, _rtc, _power, .. Generation is null ? [] : new IStateOwner[] { Generation }, .. Io.StateOwners];
        Acpi = new AcpiConfig
        {
            VcpuCount = config.Cpus,
            SerialPorts = [Serial.Config],
            VirtioDevices = Io.AcpiDevices,
            Power = _power.Config,
            HasRtc = true,
            PanicPort = PvpanicDevice.Port,
            GenerationAddress = Generation is null ? null : BootLayout.VmGeneration,
        };
    }

    public PortBus Ports { get; }

    public MmioBus Mmio { get; }

    public Serial16550Device Serial { get; }

    public AcpiPowerDevice Power => _power;

    /// <summary>The VM generation id; null without one.</summary>
    public VmGenerationDevice? Generation { get; }

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

    /// <summary>What becomes of what the guest writes to its consoles, by the machine's role.</summary>
    public void SetOutput(SerialOutputMode mode)
    {
        Serial.Output.Enter(mode);
        Io.Console?.Output.Enter(mode);
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
        _consoleBackend?.Flush(TimeSpan.FromSeconds(2));
        Io.Dispose();
        _serialBackend.Flush(TimeSpan.FromSeconds(2));
        _serialBackend.Dispose();
    }
}
