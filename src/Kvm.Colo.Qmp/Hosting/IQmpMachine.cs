namespace Kvm.Colo.Qmp.Hosting;

/// <summary>
/// Identity, run state and vCPUs. Properties are snapshots, read on any thread; methods run on the control loop.
/// </summary>
internal interface IQmpMachine
{
    /// <summary>The guest's name, null when it was started without one.</summary>
    string? Name { get; }

    /// <summary>The guest's UUID, all zeros when it was started without one.</summary>
    Guid Uuid { get; }

    /// <summary>Bytes of guest memory.</summary>
    ulong MemoryBytes { get; }

    QmpRunState RunState { get; }

    IReadOnlyList<QmpCpu> Cpus { get; }

    /// <summary>QAPI <c>stop</c>: idempotent; raises STOP before it returns.</summary>
    void Stop();

    /// <summary>QAPI <c>cont</c>: idempotent; raises RESUME before it returns.</summary>
    void Continue();

    /// <summary>
    /// QAPI <c>quit</c>: raises SHUTDOWN and begins the end of the process; the reply is sent after it returns.
    /// </summary>
    void Quit();

    /// <summary>QAPI <c>system_reset</c>.</summary>
    void Reset();

    /// <summary>QAPI <c>system_powerdown</c>: presses the ACPI power button.</summary>
    void PowerDown();

    /// <summary>QAPI <c>system_wakeup</c>.</summary>
    void WakeUp();

    /// <summary>QAPI <c>set-action</c>: what a null leaves alone.</summary>
    void SetAction(QmpActions actions);

    /// <summary>Registers of one vCPU as text, for the human monitor's <c>info registers</c>.</summary>
    string DescribeRegisters(int cpuIndex);
}
