using Kvm.Colo.Qmp.Migration;
using RuntimeSettings = Kvm.Colo.Migration.MigrationSettings;

namespace Kvm.Colo.Cli.Hosting;

/// <summary>The control socket's store is the authority; each change is carried to the settings that migrations read.</summary>
internal sealed class SettingsBridge
{
    private static readonly MigrationSupport s_support = new()
    {
        Capabilities = new HashSet<MigrationCapability> { MigrationCapability.Events, MigrationCapability.XColo },
    };

    private readonly Lock _lock = new();

    public SettingsBridge()
    {
        Store.CapabilitiesChanged += (_, _) => Carry();
        Store.ParametersChanged += (_, _) => Carry();
        Carry();
    }

    /// <summary>What monitors read and write.</summary>
    public MigrationSettings Store { get; } = new(s_support);

    /// <summary>What migrations read.</summary>
    public RuntimeSettings Runtime { get; } = new();

    public void EnableColo() =>
        Store.SetCapabilities([new MigrationCapabilityStatus(MigrationCapability.XColo, State: true)],
            migrationInProgress: false);

    public void Set<T>(MigrationParameter<T> parameter, T value)
        where T : notnull => Store.SetParameters([(parameter, value)]);

    private void Carry()
    {
        MigrationParameters parameters = Store.Parameters;
        lock (_lock)
        {
            Runtime.Colo = Store.Has(MigrationCapability.XColo);
            Runtime.HeartbeatTimeoutMs = (int)parameters.Get(MigrationParameterTable.HeartbeatTimeout);
            Runtime.VerifyCheckpoints = parameters.Get(MigrationParameterTable.VerifyCheckpoints);
            Runtime.StrictPause = parameters.Get(MigrationParameterTable.StrictPause);
            Runtime.CommitLimit = TimeSpan.FromMilliseconds(parameters.Get(MigrationParameterTable.CommitLimit));
            Runtime.OutputDelay = TimeSpan.FromMilliseconds(parameters.Get(MigrationParameterTable.OutputDelay));
            Runtime.CopyAhead = parameters.Get(MigrationParameterTable.CopyAhead);
            Runtime.InTime = parameters.Get(MigrationParameterTable.InTime);
            Runtime.PageHashes = parameters.Get(MigrationParameterTable.PageHashes);
            Runtime.PreSend = parameters.Get(MigrationParameterTable.PreSend);
            Runtime.KeepHotPages = parameters.Get(MigrationParameterTable.KeepHotPages);
            Runtime.DeltaCachePages = (int)Math.Min(parameters.Get(MigrationParameterTable.DeltaCache) / 4096, int.MaxValue);
            Runtime.CpuThrottle = (
                parameters.Get(MigrationParameterTable.CpuThrottleInitial),
                parameters.Get(MigrationParameterTable.CpuThrottleIncrement),
                parameters.Get(MigrationParameterTable.MaxCpuThrottle));
            Runtime.MaxBandwidth = (long)Math.Min(parameters.Get(MigrationParameterTable.MaxBandwidth), long.MaxValue);
            Runtime.DowntimeLimit = Store.DowntimeLimit;

            // Setting the delay means a checkpoint now, so only a change is carried.
            int delay = (int)Math.Min(parameters.Get(MigrationParameterTable.CheckpointDelay), int.MaxValue);
            if (delay != Runtime.CheckpointDelayMs)
                Runtime.CheckpointDelayMs = delay;
        }
    }
}
