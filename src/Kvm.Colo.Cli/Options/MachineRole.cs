namespace Kvm.Colo.Cli.Options;

/// <summary>What a VM is to others.</summary>
internal enum MachineRole
{
    /// <summary>Boots and runs by itself.</summary>
    Ordinary,

    /// <summary>Boots and is protected by a secondary.</summary>
    Primary,

    /// <summary>Waits for a primary, as often as it takes.</summary>
    Secondary,

    /// <summary>Waits for one migration.</summary>
    Incoming,
}
