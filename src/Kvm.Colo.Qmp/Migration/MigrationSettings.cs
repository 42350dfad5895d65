using Kvm.Colo.Qmp.Commands;

namespace Kvm.Colo.Qmp.Migration;

/// <summary>
/// Capabilities and parameters of migration, with QEMU's checks. Written on the control loop, read by any thread: each read
/// takes the whole of one moment, and a refused change changes nothing.
/// </summary>
internal sealed class MigrationSettings(MigrationSupport support)
{
    /// <summary>What a background snapshot cannot go together with, in the order it is told.</summary>
    private static readonly MigrationCapability[] s_notWithSnapshot =
    [
        MigrationCapability.PostcopyRam, MigrationCapability.DirtyBitmaps, MigrationCapability.PostcopyBlocktime,
        MigrationCapability.LateBlockActivate, MigrationCapability.ReturnPath, MigrationCapability.Multifd,
        MigrationCapability.PauseBeforeSwitchover, MigrationCapability.AutoConverge, MigrationCapability.ReleaseRam,
        MigrationCapability.RdmaPinAll, MigrationCapability.Xbzrle, MigrationCapability.XColo,
        MigrationCapability.ValidateUuid, MigrationCapability.ZeroCopySend,
    ];

    private uint _capabilities;
    private MigrationParameters _parameters = new();

    /// <summary>Raised on the thread that set them after parameters have changed: a running session may take them over.</summary>
    public event EventHandler? ParametersChanged;

    /// <summary>Raised on the thread that set them after capabilities have changed, before the command is answered.</summary>
    public event EventHandler? CapabilitiesChanged;

    public MigrationParameters Parameters => Volatile.Read(ref _parameters);

    public bool SendsEvents => Has(MigrationCapability.Events);

    /// <summary>Time between COLO checkpoints (<c>x-checkpoint-delay</c>).</summary>
    public TimeSpan CheckpointDelay => TimeSpan.FromMilliseconds(Parameters.Get(MigrationParameterTable.CheckpointDelay));

    /// <summary>The longest downtime a switchover may cause (<c>downtime-limit</c>).</summary>
    public TimeSpan DowntimeLimit => TimeSpan.FromMilliseconds(Parameters.Get(MigrationParameterTable.DowntimeLimit));

    /// <summary>Bytes per second before the switchover, 0 for no limit (<c>max-bandwidth</c>).</summary>
    public ulong MaxBandwidth => Parameters.Get(MigrationParameterTable.MaxBandwidth);

    /// <summary>Pause the primary until the secondary has loaded (<c>x-colo-strict-pause</c>).</summary>
    public bool StrictPause => Parameters.Get(MigrationParameterTable.StrictPause);

    public bool Has(MigrationCapability capability) => IsSet(Volatile.Read(ref _capabilities), capability);

    public IReadOnlyList<MigrationCapabilityStatus> ListCapabilities()
    {
        uint all = Volatile.Read(ref _capabilities);
        return [.. MigrationTypes.Capability.Values.Select(each => new MigrationCapabilityStatus(each, IsSet(all, each)))];
    }

    /// <summary>Sets all or, when one is refused, none.</summary>
    /// <exception cref="QmpCommandException">A migration is in progress, or the capabilities do not go together.</exception>
    public void SetCapabilities(IReadOnlyList<MigrationCapabilityStatus> changes, bool migrationInProgress)
    {
        if (migrationInProgress)
            throw QmpErrors.MigrationActive();
        uint all = _capabilities;
        foreach (MigrationCapabilityStatus change in changes)
        {
            uint bit = 1u << (int)change.Capability;
            all = change.State ? all | bit : all & ~bit;
        }
        CheckCapabilities(all);
        Volatile.Write(ref _capabilities, all);
        CapabilitiesChanged?.Invoke(this, EventArgs.Empty);
    }

    /// <summary>Sets all or, when one is refused, none. Allowed at any time, also during COLO.</summary>
    /// <exception cref="QmpCommandException">A value is out of range or not supported.</exception>
    public void SetParameters(IReadOnlyList<(MigrationParameter Parameter, object Value)> changes)
    {
        foreach ((MigrationParameter parameter, object value) in changes)
            parameter.Check(value);
        MigrationParameters next = Parameters.With(changes);
        CheckParameters(next);
        Volatile.Write(ref _parameters, next);
        ParametersChanged?.Invoke(this, EventArgs.Empty);
    }

    private static bool IsSet(uint all, MigrationCapability capability) => (all & (1u << (int)capability)) != 0;

    private static string NameOf(MigrationCapability capability) => MigrationTypes.Capability.NameOf(capability);

    private void CheckCapabilities(uint all)
    {
        foreach (MigrationCapability capability in MigrationTypes.Capability.Values)
        {
            if (IsSet(all, capability) && !support.Capabilities.Contains(capability))
                throw new QmpCommandException($"Capability '{NameOf(capability)}' is not supported");
        }
        if (IsSet(all, MigrationCapability.XColo))
        {
            Refuse(all, MigrationCapability.PostcopyRam, "COLO is not compatible with postcopy");
            RefuseModesFor("COLO");
        }
        if (IsSet(all, MigrationCapability.PostcopyRam))
            Refuse(all, MigrationCapability.XIgnoreShared, "Postcopy is not compatible with ignore-shared");
        if (IsSet(all, MigrationCapability.BackgroundSnapshot))
        {
            foreach (MigrationCapability other in s_notWithSnapshot)
                Refuse(all, other, $"Background-snapshot is not compatible with {NameOf(other)}");
        }
        if (IsSet(all, MigrationCapability.ZeroCopySend) && (!IsSet(all, MigrationCapability.Multifd)
            || IsSet(all, MigrationCapability.Xbzrle) || !IsPlainMultifd(Parameters)))
        {
            throw new QmpCommandException("Zero copy only available for non-compressed non-TLS multifd migration");
        }
        if (IsSet(all, MigrationCapability.PostcopyPreempt) && !IsSet(all, MigrationCapability.PostcopyRam))
            throw new QmpCommandException("Postcopy preempt requires postcopy-ram");
        if (IsSet(all, MigrationCapability.Multifd))
            Refuse(all, MigrationCapability.Xbzrle, "Multifd is not compatible with xbzrle");
        if (IsSet(all, MigrationCapability.SwitchoverAck) && !IsSet(all, MigrationCapability.ReturnPath))
            throw new QmpCommandException("Capability 'switchover-ack' requires capability 'return-path'");
        if (IsSet(all, MigrationCapability.DirtyLimit))
            Refuse(all, MigrationCapability.AutoConverge,
                "dirty-limit conflicts with auto-converge, only one of them is available");
        if (IsSet(all, MigrationCapability.MappedRam))
        {
            Refuse(all, MigrationCapability.Xbzrle, "Mapped-ram migration is incompatible with xbzrle");
            Refuse(all, MigrationCapability.PostcopyRam, "Mapped-ram migration is incompatible with postcopy");
        }
    }

    private void CheckParameters(MigrationParameters next)
    {
        if (next.Get(MigrationParameterTable.MaxCpuThrottle) < next.Get(MigrationParameterTable.CpuThrottleInitial))
            throw QmpErrors.Expects("max-cpu-throttle", "an integer in the range of cpu_throttle_initial to 99");
        MultifdCompression compression = next.Get(MigrationParameterTable.Compression);
        if (!support.Compressions.Contains(compression))
            throw QmpErrors.WrongValue("multifd-compression", MigrationTypes.Compression.NameOf(compression));
        MigrationMode mode = next.Get(MigrationParameterTable.Mode);
        if (!support.Modes.Contains(mode))
            throw QmpErrors.WrongValue("mode", MigrationTypes.Mode.NameOf(mode));
        if (!support.Tls && next.Get(MigrationParameterTable.TlsCreds).Length > 0)
            throw new QmpCommandException("TLS is not supported for migration");
        if (mode != MigrationMode.Normal && Has(MigrationCapability.XColo))
            throw new QmpCommandException("COLO is not compatible with CPR");
        if (Has(MigrationCapability.ZeroCopySend) && !IsPlainMultifd(next))
            throw new QmpCommandException("Zero copy only available for non-compressed non-TLS multifd migration");
    }

    private static bool IsPlainMultifd(MigrationParameters parameters) =>
        parameters.Get(MigrationParameterTable.Compression) == MultifdCompression.None
        && parameters.Get(MigrationParameterTable.TlsCreds).Length == 0;

    private static void Refuse(uint all, MigrationCapability other, string reason)
    {
        if (IsSet(all, other))
            throw new QmpCommandException(reason);
    }

    private void RefuseModesFor(string feature)
    {
        if (Parameters.Get(MigrationParameterTable.Mode) != MigrationMode.Normal)
            throw new QmpCommandException($"{feature} is not compatible with CPR");
    }
}
