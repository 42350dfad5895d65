namespace Kvm.Colo.Machine.Vcpus;

/// <summary>What other threads ask of a vCPU thread between two runs.</summary>
[Flags]
internal enum VcpuRequests : uint
{
    None = 0,

    /// <summary>Complete the pending exit, do the park action, wait for commands.</summary>
    Park = 1,

    /// <summary>End the thread.</summary>
    Stop = 2,

    /// <summary>Do nothing for a while.</summary>
    Rest = 4,
}
