namespace Kvm.Colo.Cli;

/// <summary>What the process tells its parent; a guest's debug-exit gives (value &lt;&lt; 1) | 1 instead.</summary>
internal static class ExitStatus
{
    public const int Clean = 0;

    /// <summary>Something failed at run time.</summary>
    public const int Failed = 1;

    /// <summary>The user asked for something that cannot be: options, images, addresses.</summary>
    public const int WrongUsage = 2;

    /// <summary>This host cannot do it.</summary>
    public const int HostCannot = 3;
}
