namespace Kvm.Colo.Cli.Check;

/// <summary>What a fact about the host means for running VMs.</summary>
internal enum CheckLevel
{
    Ok,

    /// <summary>VMs run, something is missing or slower.</summary>
    Warn,

    /// <summary>No VM runs.</summary>
    Fail,
}
