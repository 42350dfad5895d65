using Kvm.Colo.Devices;
using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Devices.Virtio.Balloon;
using Kvm.Colo.Kvm;
using Kvm.Colo.Machine.Control;
using Kvm.Colo.Machine.State;
using Kvm.Colo.Machine.Vcpus;
using Kvm.Colo.Memory;
using Kvm.Colo.Stream;
using Microsoft.Extensions.Logging;

namespace Kvm.Colo.Machine;

/// <summary>
/// One PC: KVM, RAM, devices, vCPU threads and the control loop that owns all transitions. Public methods may be called from any
/// thread unless they say otherwise; they post to the control loop and wait with a deadline.
/// </summary>
internal sealed partial class VirtualMachine : IDisposable
{
    /// <summary>Longest time a vCPU may take to come back from a device before the machine gives up on it.</summary>
    public static readonly TimeSpan ParkDeadline = TimeSpan.FromSeconds(10);

    private readonly KvmSystem _kvm;
    private readonly KvmVm _vm;
    private readonly KvmVcpu[] _vcpus;
    private readonly VcpuGroup _group;
    private readonly ControlLoop _control;
    private readonly RunStateMachine _runState;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly DeviceFaultLog _faultLog;
    private readonly IMachineObserver _observer;
    private readonly MachineDevices _devices;
    private readonly MachineResetState _resetState;
    private readonly CpuidOwner _cpuid;
    private readonly GlobalStateOwner _globalState = new();
    private readonly ResetStateOwner _resets = new();
    private readonly ChipsStateOwner _chips;
    private readonly TaskCompletionSource<MachineEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _holdRequested;

    private VirtualMachine(MachineConfig config, KvmSystem kvm, IMachineObserver observer, ILogger logger, TimeProvider time)
    {
        Config = config;
        _kvm = kvm;
        _observer = observer;
        NoReboot = config.NoReboot;
        NoShutdown = config.NoShutdown;
        Panic = config.Panic;
        _settle = () => SettleGuest();
        _logger = logger;
        _time = time;
        _faultLog = new DeviceFaultLog(logger, time);
        UsesDirtyRing = ChooseRing(config.DirtyTracking, kvm);
        CpuidTable cpuid = kvm.GetCpuid(config.CpuModel);
        Memory = config.IsIncoming ? GuestMemory.CreateReplica(config.MemoryBytes) : GuestMemory.Create(config.MemoryBytes);
        _vm = kvm.CreateVm();
        if (UsesDirtyRing)
            _vm.EnableDirtyRing(KvmDirtyRingLog.DefaultBytesPerVcpu);
        _vm.CreateInterruptChips();
        foreach (MemorySlot slot in Memory.Slots)
            _vm.SetMemorySlot(slot, logDirtyPages: false);
        _vcpus = [.. Enumerable.Range(0, config.Cpus).Select(_vm.CreateVcpu)];
        _cpuid = new CpuidOwner(_vcpus, kvm.GetSupportedCpuid(), cpuid, _vm.TscRate);
        foreach (KvmVcpu vcpu in _vcpus)
            vcpu.SetPowerOnMsrs();
        _devices = new MachineDevices(config, _vm, Memory, this, logger, time);
        _runState = new RunStateMachine(RunState.Prelaunch);
        if (config.IsIncoming)
            _runState.Move(RunStateTable.Rule(RunState.Prelaunch, RunStateTrigger.IncomingStart).To);
        _control = new ControlLoop(OnControlFailure);
        _group = new VcpuGroup(_vcpus, this);
        Throttle = new VcpuThrottle(_group);
        DirtyLog = UsesDirtyRing ? new KvmDirtyRingLog(_vm, Memory, _vcpus) : new KvmDirtyBitmapLog(_vm, Memory);
        _chips = new ChipsStateOwner(_vm);
        StateOwners = OrderOwners();
        _group.Start(ParkDeadline);
        _resetState = new MachineResetState(_vm, _vcpus);
        if (Balloon is { } balloon)
            balloon.Changed = observer.OnBalloon;
        _devices.Start();
    }

    public MachineConfig Config { get; }

    public GuestMemory Memory { get; }

    public IDirtyLog DirtyLog { get; }

    public bool UsesDirtyRing { get; }

    /// <summary>Everything with state, in load order: run state, chips, vCPUs, devices.</summary>
    public IReadOnlyList<IStateOwner> StateOwners { get; }

    public RunState State => _runState.State;

    public IReadOnlyList<VcpuThread> Vcpus => _group.Threads;

    public Serial16550Device Serial => _devices.Serial;

    /// <summary>The virtio devices.</summary>
    public MachineIo Io => _devices.Io;

    /// <summary>The memory balloon; null without one.</summary>
    public VirtioBalloon? Balloon => _devices.Io.Balloon;

    /// <summary>The guest's VM generation id; null without one.</summary>
    public Guid? GenerationId => _devices.Generation?.Id;

    public ControlLoop Control => _control;

    /// <summary>Takes a share of the guest's time.</summary>
    public VcpuThrottle Throttle { get; }

    /// <summary>Completes when the machine has ended.</summary>
    public Task<MachineEnd> Ended => _end.Task;

    /// <summary>Exits of all vCPUs so far.</summary>
    public long Exits => _group.Threads.Sum(static thread => thread.Exits);

    /// <summary>Builds the machine and, unless its guest arrives over a link, loads what it boots; the vCPUs are parked.</summary>
    /// <exception cref="KvmException">KVM refused a step.</exception>
    /// <exception cref="Loaders.BootImageException">The image cannot be booted.</exception>
    public static VirtualMachine Create(
        MachineConfig config, KvmSystem kvm, IMachineObserver observer, ILogger logger, TimeProvider time)
    {
        VirtualMachine machine = new(config, kvm, observer, logger, time);
        try
        {
            if (config.Boot is { } boot && !config.IsIncoming)
                machine.PlaceBootImage(boot);
            return machine;
        }
        catch
        {
            machine.Dispose();
            throw;
        }
    }

    /// <summary>Ends every thread and gives all memory back. The caller has ended migration and monitors before.</summary>
    public void Dispose()
    {
        _control.Dispose();
        Throttle.Dispose();
        if (!_group.Stop(ParkDeadline))
        {
            // A thread that is still inside KVM or a device must not find its memory gone; the process ends anyway.
            LogStuckVcpus(_logger);
            return;
        }

        _devices.Dispose();
        (DirtyLog as IDisposable)?.Dispose();
        foreach (KvmVcpu vcpu in _vcpus)
            vcpu.Dispose();
        _vm.Dispose();
        Memory.Dispose();
    }

    // Devices first: loading one drives its interrupt pin, and on an edge-triggered pin that is an interrupt the primary never had,
    // unless the interrupt chips and the vCPUs' local APICs are loaded after it.
    private IReadOnlyList<IStateOwner> OrderOwners() =>
        [_globalState, _resets, _cpuid, .. _devices.StateOwners, _chips, .. _group.Threads.Select(thread => new VcpuStateOwner(thread))];

    private static bool ChooseRing(DirtyTracking tracking, KvmSystem kvm)
    {
        bool offered = kvm.Check(Native.KvmConstants.KVM_CAP_DIRTY_LOG_RING_ACQ_REL) > 0
            || kvm.Check(Native.KvmConstants.KVM_CAP_DIRTY_LOG_RING) > 0;
        return tracking switch
        {
            DirtyTracking.Bitmap => false,
            DirtyTracking.Ring when kvm.IsSoftwareKvm =>
                throw new KvmUnavailableException("this KVM loses pages with the dirty ring", "use the bitmap"),
            DirtyTracking.Ring when !offered => throw new KvmUnavailableException("this KVM has no dirty ring", "use the bitmap"),
            DirtyTracking.Ring => true,
            _ => offered && !kvm.IsSoftwareKvm,
        };
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "a vCPU thread did not end; its memory is kept until the process ends")]
    private static partial void LogStuckVcpus(ILogger logger);
}
