using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kvm.Colo.Cli.Options;

/// <summary>The options of <c>colo-vm run</c> as given, in a file or on the command line; null is what was not given.</summary>
internal sealed record RunSettings
{
    public string? Kernel { get; init; }

    public string? Initrd { get; init; }

    public string? Append { get; init; }

    public string? Memory { get; init; }

    public int? Cpus { get; init; }

    public string? Cpu { get; init; }

    public string? Name { get; init; }

    public string? Uuid { get; init; }

    public IReadOnlyList<string>? Disk { get; init; }

    public IReadOnlyList<string>? Net { get; init; }

    public string? Serial { get; init; }

    public string? Console { get; init; }

    public string? Balloon { get; init; }

    [JsonPropertyName("vmgenid")]
    public string? VmGenId { get; init; }

    public IReadOnlyList<string>? Qmp { get; init; }

    public string? Primary { get; init; }

    public string? Secondary { get; init; }

    public string? Incoming { get; init; }

    [JsonPropertyName("checkpoint-delay")]
    public int? CheckpointDelay { get; init; }

    public bool? Paused { get; init; }

    [JsonPropertyName("no-shutdown")]
    public bool? NoShutdown { get; init; }

    [JsonPropertyName("no-reboot")]
    public bool? NoReboot { get; init; }

    public string? Log { get; init; }

    public IReadOnlyList<string>? Trace { get; init; }

    [JsonPropertyName("trace-file")]
    public string? TraceFile { get; init; }

    [JsonPropertyName("verify-checkpoints")]
    public bool? VerifyCheckpoints { get; init; }

    [JsonPropertyName("heartbeat-timeout")]
    public int? HeartbeatTimeout { get; init; }

    [JsonPropertyName("dirty-tracking")]
    public string? DirtyTracking { get; init; }

    /// <summary>What a file holds that is no option.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }

    /// <summary>
    /// These settings where given, else those of <paramref name="lower"/>. The three roles count as one option.
    /// </summary>
    public RunSettings Over(RunSettings lower)
    {
        bool hasRole = (Primary ?? Secondary ?? Incoming) is not null;
        return new RunSettings
        {
            Kernel = Kernel ?? lower.Kernel,
            Initrd = Initrd ?? lower.Initrd,
            Append = Append ?? lower.Append,
            Memory = Memory ?? lower.Memory,
            Cpus = Cpus ?? lower.Cpus,
            Cpu = Cpu ?? lower.Cpu,
            Name = Name ?? lower.Name,
            Uuid = Uuid ?? lower.Uuid,
            Disk = Disk ?? lower.Disk,
            Net = Net ?? lower.Net,
            Serial = Serial ?? lower.Serial,
            Console = Console ?? lower.Console,
            Balloon = Balloon ?? lower.Balloon,
            VmGenId = VmGenId ?? lower.VmGenId,
            Qmp = Qmp ?? lower.Qmp,
            Primary = hasRole ? Primary : lower.Primary,
            Secondary = hasRole ? Secondary : lower.Secondary,
            Incoming = hasRole ? Incoming : lower.Incoming,
            CheckpointDelay = CheckpointDelay ?? lower.CheckpointDelay,
            Paused = Paused ?? lower.Paused,
            NoShutdown = NoShutdown ?? lower.NoShutdown,
            NoReboot = NoReboot ?? lower.NoReboot,
            Log = Log ?? lower.Log,
            Trace = Trace ?? lower.Trace,
            TraceFile = TraceFile ?? lower.TraceFile,
            VerifyCheckpoints = VerifyCheckpoints ?? lower.VerifyCheckpoints,
            HeartbeatTimeout = HeartbeatTimeout ?? lower.HeartbeatTimeout,
            DirtyTracking = DirtyTracking ?? lower.DirtyTracking,
        };
    }
}
