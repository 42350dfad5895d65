using System.Buffers;
using System.Text;
using System.Text.Json;
using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Client;

namespace Kvm.Colo.Cli.Monitor;

/// <summary>One look at a VM over its monitor: what the five queries of <c>status</c> and <c>top</c> answered.</summary>
internal sealed class VmStatus
{
    private readonly JsonElement _migration;
    private readonly JsonElement _colo;
    private readonly JsonElement _statistics;

    private VmStatus(string name, JsonElement status, JsonElement migration, JsonElement colo, JsonElement statistics)
    {
        Name = name;
        RunState = Text(status, "status") ?? "unknown";
        _migration = migration;
        _colo = colo;
        _statistics = statistics;
    }

    public string Name { get; }

    public string RunState { get; }

    /// <summary>Null before the first migration.</summary>
    public string? Migration => Text(_migration, "status");

    public string? MigrationError => Text(_migration, "error-desc");

    /// <summary>primary, secondary or none.</summary>
    public string Mode => Text(_colo, "mode") ?? "none";

    public string LastMode => Text(_colo, "last-mode") ?? "none";

    public string Reason => Text(_colo, "reason") ?? "none";

    public ulong Epoch => Number(_statistics, "committed-epoch");

    public ulong Checkpoints => Number(_statistics, "checkpoints");

    public ulong DirtyPages => Number(_statistics, "dirty-pages");

    public ulong LastDirtyPages => Number(_statistics, "last-dirty-pages");

    public ulong IdenticalPages => Number(_statistics, "identical-pages");

    public ulong Bytes => Number(_statistics, "transferred");

    /// <summary>What the guest gives up so that its epochs keep up, in percent of its time.</summary>
    public ulong Throttle => Number(_statistics, "throttle");

    /// <summary>The last epochs, the newest first, as <see cref="EpochRows.Columns"/> has them.</summary>
    public IReadOnlyList<string[]> Epochs(int limit) => EpochRows.From(_statistics, limit);

    /// <summary>Percent of guest memory the migration has passed, null when it does not say.</summary>
    public double? Percent
    {
        get
        {
            if (!_migration.TryGetProperty("ram", out JsonElement ram) || Number(ram, "total") is 0)
                return null;
            return 100.0 * (1 - ((double)Number(ram, "remaining") / Number(ram, "total")));
        }
    }

    /// <summary>Asks the monitor; one of QEMU's answers too, but has no statistics.</summary>
    /// <exception cref="QmpCommandException">The monitor refused.</exception>
    public static VmStatus Read(QmpClient client) => new(
        Text(client.Execute("query-name"), "name") ?? "",
        client.Execute("query-status"),
        client.Execute("query-migrate"),
        client.Execute("query-colo-status"),
        ReadStatistics(client));

    /// <summary>A percentile of one of the times pause, commit and apply; null when there is none yet.</summary>
    public TimeSpan? Time(string what, string percentile) =>
        _statistics.TryGetProperty(what, out JsonElement times) && Number(times, "count") > 0
            ? TimeSpan.FromMicroseconds(Number(times, percentile) / 1000.0)
            : null;

    public string ToJson() => Write(JsonText.PrettyOptions, WriteMembers);

    /// <summary>One look on one line: whose, with the rates since the look before; the rates are null without one.</summary>
    public string ToJsonLine(QmpAddress address, VmStatus? before, TimeSpan elapsed) => Write(JsonText.LineOptions, writer =>
    {
        writer.WriteString("monitor"u8, address.ToString());
        WriteMembers(writer);
        foreach ((string name, ulong now, ulong? then) in (ReadOnlySpan<(string, ulong, ulong?)>)
            [("checkpoints-per-second", Checkpoints, before?.Checkpoints), ("bytes-per-second", Bytes, before?.Bytes)])
        {
            if (then is { } earlier && now >= earlier && elapsed > TimeSpan.Zero)
                writer.WriteNumber(name, Math.Round((now - earlier) / elapsed.TotalSeconds, 3));
            else
                writer.WriteNull(name);
        }
    });

    private static string Write(JsonWriterOptions options, Action<Utf8JsonWriter> members)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer, options))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private void WriteMembers(Utf8JsonWriter writer)
    {
        writer.WriteString("name"u8, Name);
        writer.WriteString("status"u8, RunState);
        foreach ((string name, JsonElement value) in (ReadOnlySpan<(string, JsonElement)>)
            [("migration", _migration), ("colo", _colo), ("statistics", _statistics)])
        {
            writer.WritePropertyName(name);
            value.WriteTo(writer);
        }
    }

    private static JsonElement ReadStatistics(QmpClient client)
    {
        try
        {
            return client.Execute("query-colo-statistics");
        }
        catch (QmpCommandException e) when (e.ErrorClass == QmpErrorClass.CommandNotFound)
        {
            using JsonDocument none = JsonDocument.Parse("{}");
            return none.RootElement.Clone();
        }
    }

    private static string? Text(JsonElement owner, string name) =>
        owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty(name, out JsonElement value)
            && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private static ulong Number(JsonElement owner, string name) =>
        owner.TryGetProperty(name, out JsonElement value) && value.TryGetUInt64(out ulong number) ? number : 0;
}
