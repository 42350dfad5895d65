using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Qmp.Hosting;

namespace Kvm.Colo.Cli.Hosting;

/// <summary>From the machine's and the migration's enums to the control socket's, which share their members' names.</summary>
internal static class QmpNames
{
    private static readonly QmpRunState[] s_runStates = Map<RunState, QmpRunState>();
    private static readonly QmpMigrationStatus[] s_statuses = Map<MigrationStatus, QmpMigrationStatus>();
    private static readonly QmpCheckpointCause[] s_checkpointCauses = Map<CheckpointCause, QmpCheckpointCause>();
    private static readonly QmpShutdownCause[] s_causes = Map<ShutdownCause, QmpShutdownCause>();

    public static QmpRunState ToQmp(this RunState state) => s_runStates[(int)state];

    public static QmpMigrationStatus ToQmp(this MigrationStatus status) => s_statuses[(int)status];

    public static QmpShutdownCause ToQmp(this ShutdownCause cause) => s_causes[(int)cause];

    public static QmpCheckpointCause ToQmp(this CheckpointCause cause) => s_checkpointCauses[(int)cause];

    public static QmpColoMode ToQmp(this ColoMode mode) => mode switch
    {
        ColoMode.Primary => QmpColoMode.Primary,
        ColoMode.Secondary => QmpColoMode.Secondary,
        _ => QmpColoMode.None,
    };

    public static QmpColoExitReason ToQmp(this ColoExitReason reason) => reason switch
    {
        ColoExitReason.Request => QmpColoExitReason.Request,
        ColoExitReason.Error => QmpColoExitReason.Error,
        ColoExitReason.Processing => QmpColoExitReason.Processing,
        _ => QmpColoExitReason.None,
    };

    public static QmpFailoverState ToQmp(this FailoverState state) => state switch
    {
        FailoverState.Require => QmpFailoverState.Require,
        FailoverState.Active => QmpFailoverState.Active,
        FailoverState.Completed => QmpFailoverState.Completed,
        FailoverState.Relaunch => QmpFailoverState.Relaunch,
        _ => QmpFailoverState.None,
    };

    private static TTo[] Map<TFrom, TTo>()
        where TFrom : struct, Enum
        where TTo : struct, Enum => [.. Enum.GetNames<TFrom>().Select(Enum.Parse<TTo>)];
}
