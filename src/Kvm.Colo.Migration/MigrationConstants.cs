namespace Kvm.Colo.Migration;

/// <summary>Names and limits both ends of a migration share.</summary>
internal static class MigrationConstants
{
    /// <summary>Machine type in the configuration section.</summary>
    public const string MachineType = "colo-vm-1";

    /// <summary>The one RAM block.</summary>
    public const string RamBlockName = "colo.ram";

    /// <summary>How long a peer may take for a step that does real work (loading a state), before it counts as lost.</summary>
    public static readonly TimeSpan StepDeadline = TimeSpan.FromSeconds(30);

    /// <summary>How long a peer that shows life may take for one step of a checkpoint, whatever it is.</summary>
    public static readonly TimeSpan LongestStep = TimeSpan.FromMinutes(10);

    public static readonly TimeSpan ConnectDeadline = TimeSpan.FromSeconds(10);
}
