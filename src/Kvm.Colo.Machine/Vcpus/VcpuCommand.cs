namespace Kvm.Colo.Machine.Vcpus;

/// <summary>What a parked vCPU thread is told to do.</summary>
internal enum VcpuCommand
{
    None,

    /// <summary>Read all registers into the current snapshot.</summary>
    Save,

    /// <summary>Read what was not read when it parked.</summary>
    FinishSave,

    /// <summary>Run the guest again.</summary>
    Resume,
}
