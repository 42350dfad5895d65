using System.Text.Json;
using Kvm.Colo.Qmp.Client;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.SystemTests;

/// <summary>What the monitor of a real machine tells about a migration and about a COLO session, while it runs and after its end.</summary>
[Trait("Category", "RequiresKvm")]
public class QmpFiguresTests
{
    private const string Events = """{"capabilities": [{"capability": "events", "state": true}]}""";
    private const string ColoAndEvents =
        """{"capabilities": [{"capability": "x-colo", "state": true}, {"capability": "events", "state": true}]}""";

    [KvmFact]
    public void PlainMigration_TellsItsWholeStory()
    {
        using RunStateVm source = new();
        using RunStateVm destination = new(incoming: true);
        string uri = $$"""{"uri": "unix:{{destination.Folder}}/link"}""";
        source.Client.Execute("migrate-set-capabilities", Events);
        destination.Client.Execute("migrate-set-capabilities", Events);
        Assert.Equal("{}", source.Ask("query-migrate").GetRawText());
        destination.Client.Execute("migrate-incoming", uri);
        source.Client.Execute("cont");
        source.Client.Execute("migrate", uri);
        List<string> told = [];
        while (told.Count == 0 || told[^1] != "MIGRATION completed")
        {
            Assert.True(source.Client.TryTakeEvent(TimeSpan.FromSeconds(20), out QmpClientEvent item), string.Join(", ", told));
            string data = item.Data.ValueKind == JsonValueKind.Object ? " " + item.Data.EnumerateObject().First().Value : "";
            told.Add(item.Name + data);
        }

        int passes = told.Count(static line => line.StartsWith("MIGRATION_PASS", StringComparison.Ordinal));
        Assert.Equal(
            ["RESUME", "MIGRATION setup", "MIGRATION active", .. Passes(1, passes - 1), "STOP", "MIGRATION device", .. Passes(passes, 1), "MIGRATION completed"],
            told);
        destination.WaitForEvent("MIGRATION", "completed");
        Assert.Equal("postmigrate", source.Status);
        Assert.Equal("running", destination.Status);

        JsonElement info = source.Ask("query-migrate");
        JsonElement ram = info.GetProperty("ram");
        Assert.Equal("completed", info.GetProperty("status").GetString());
        Assert.Equal(0, ram.GetProperty("remaining").GetInt64());
        Assert.Equal(4 << 20, ram.GetProperty("total").GetInt64());
        long normal = ram.GetProperty("normal").GetInt64();
        Assert.True(normal > 0);
        Assert.Equal(normal * 4096, ram.GetProperty("normal-bytes").GetInt64());
        long transferred = ram.GetProperty("transferred").GetInt64();
        Assert.InRange(transferred, normal * 4096, (normal * 4096) + (ram.GetProperty("duplicate").GetInt64() * 32) + (256 << 10));
        Assert.Equal(transferred, ram.GetProperty("precopy-bytes").GetInt64() + ram.GetProperty("downtime-bytes").GetInt64());
        Assert.True(ram.GetProperty("downtime-bytes").GetInt64() > 0);
        Assert.True(ram.GetProperty("mbps").GetDouble() > 0);
        Assert.Equal(passes, ram.GetProperty("dirty-sync-count").GetInt64());
        long total = info.GetProperty("total-time").GetInt64();
        Assert.InRange(info.GetProperty("setup-time").GetInt64(), 0, total);
        Assert.InRange(info.GetProperty("downtime").GetInt64(), 0, total);
        Assert.False(info.TryGetProperty("expected-downtime", out _));
        Assert.Equal(info.GetRawText(), source.Ask("query-migrate").GetRawText());
        Assert.Equal("Can't migrate the vm that was paused due to previous migration", source.Try("migrate", uri));
    }

    [KvmFact]
    public void Colo_TellsEpochsCausesAndTimes_ThenItsEnd()
    {
        using RunStateVm primary = new();
        using RunStateVm secondary = new(incoming: true);
        Form(primary, secondary, checkpointDelayMs: 1);
        Assert.Contains("\"cause\":\"timer\"", primary.WaitForEvent("__org.colo-vm_CHECKPOINT", "epoch").Data.GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain("cause", secondary.WaitForEvent("__org.colo-vm_CHECKPOINT", "epoch").Data.GetRawText(), StringComparison.Ordinal);
        primary.Client.Execute("migrate-set-parameters", """{"x-checkpoint-delay": 600000}""");
        primary.Client.Execute("__org.colo-vm_checkpoint");
        primary.WaitForEvent("__org.colo-vm_CHECKPOINT", "\"cause\":\"request\"");

        JsonElement statistics = primary.Ask("query-colo-statistics");
        ulong checkpoints = statistics.GetProperty("checkpoints").GetUInt64();
        Dictionary<string, ulong> causes = statistics.GetProperty("causes").EnumerateArray()
            .ToDictionary(static each => each.GetProperty("cause").GetString()!, static each => each.GetProperty("count").GetUInt64());
        Assert.Equal(["request", "timer"], causes.Keys.Order());
        Assert.Equal(checkpoints, causes["request"] + causes["timer"]);
        Assert.Equal(checkpoints, statistics.GetProperty("committed-epoch").GetUInt64());
        Assert.Equal(checkpoints, statistics.GetProperty("current-epoch").GetUInt64());
        Assert.Equal(0UL, statistics.GetProperty("aborted-checkpoints").GetUInt64());
        Assert.True(statistics.GetProperty("skew-ns").GetInt64() < 0, "the other guest is behind by the way of an epoch");
        foreach (string time in (string[])["pause", "commit", "apply"])
        {
            JsonElement histogram = statistics.GetProperty(time);
            Assert.Equal(checkpoints, histogram.GetProperty("count").GetUInt64());
            ulong inBuckets = 0;
            foreach (JsonElement bucket in histogram.GetProperty("buckets").EnumerateArray())
                inBuckets += bucket.GetProperty("count").GetUInt64();
            Assert.Equal(checkpoints, inBuckets);
            Assert.InRange(histogram.GetProperty("p50-ns").GetUInt64(), 1UL, histogram.GetProperty("p99-ns").GetUInt64());
            Assert.InRange(histogram.GetProperty("min-ns").GetUInt64(), 0UL, histogram.GetProperty("max-ns").GetUInt64());
        }

        AssertRecent(statistics, isPrimary: true);
        JsonElement mirror = secondary.Ask("query-colo-statistics");
        AssertRecent(mirror, isPrimary: false);
        Assert.Equal("secondary", mirror.GetProperty("mode").GetString());
        Assert.Equal(checkpoints, mirror.GetProperty("checkpoints").GetUInt64());
        Assert.True(mirror.TryGetProperty("skew-ns", out _));
        JsonElement info = primary.Ask("query-migrate");
        Assert.Equal("colo", info.GetProperty("status").GetString());
        Assert.Equal(0, info.GetProperty("ram").GetProperty("remaining").GetInt64());
        Assert.True(info.GetProperty("ram").GetProperty("dirty-sync-count").GetUInt64() > checkpoints);
    }

    [KvmFact]
    public void BrokenLink_IsToldOnBothSides_AndTheFailoverStepByStep()
    {
        using RunStateVm primary = new();
        using RunStateVm secondary = new(incoming: true);
        Form(primary, secondary, checkpointDelayMs: 600_000);
        using ManualResetEventSlim release = new();
        secondary.Machine.Control.Post(release.Wait);
        primary.Client.Execute("__org.colo-vm_checkpoint");
        primary.WaitForEvent("MIGRATION_PASS", "1");
        using QmpClient urgent = primary.Connect(outOfBand: true);
        Assert.Equal("""[{"type":"migration"}]""", urgent.Execute("query-yank", outOfBand: true).GetRawText());
        urgent.Execute("yank", """{"instances": [{"type": "migration"}]}""", outOfBand: true);
        primary.WaitForEvent("COLO_EXIT", "error");
        release.Set();
        secondary.WaitForEvent("COLO_EXIT", "error");

        // Until somebody decides, a side says what it was and that it has lost the other.
        Assert.Equal("""{"mode":"primary","last-mode":"none","reason":"error"}""", primary.Ask("query-colo-status").GetRawText());
        Assert.Equal("""{"mode":"secondary","last-mode":"none","reason":"error"}""", secondary.Ask("query-colo-status").GetRawText());
        JsonElement statistics = primary.Ask("query-colo-statistics");
        Assert.Equal(1UL, statistics.GetProperty("aborted-checkpoints").GetUInt64());
        Assert.Equal(statistics.GetProperty("committed-epoch").GetUInt64(), statistics.GetProperty("current-epoch").GetUInt64());
        foreach ((RunStateVm side, string mode) in ((RunStateVm, string)[])[(primary, "primary"), (secondary, "secondary")])
        {
            side.Client.Execute("x-colo-lost-heartbeat");
            foreach (string state in (string[])["require", "active", "completed"])
            {
                Assert.Equal(
                    $$"""{"mode":"{{mode}}","state":"{{state}}","reason":"error"}""", side.Client.WaitForEvent("__org.colo-vm_FAILOVER").Data.GetRawText());
            }

            side.WaitForEvent("MIGRATION", "completed");
            Assert.Equal($$"""{"mode":"none","last-mode":"{{mode}}","reason":"error"}""", side.Ask("query-colo-status").GetRawText());
            Assert.Equal("running", side.Status);
            Assert.Equal("VM is not in COLO mode", side.Try("x-colo-lost-heartbeat"));
        }

        Assert.Equal("completed", primary.Ask("query-migrate").GetProperty("status").GetString());
    }

    // The last epochs one by one, their pages accounted for, each side with what it knows.
    private static void AssertRecent(JsonElement statistics, bool isPrimary)
    {
        JsonElement[] recent = [.. statistics.GetProperty("recent").EnumerateArray()];
        ulong committed = statistics.GetProperty("committed-epoch").GetUInt64();
        Assert.Equal((int)Math.Min(committed, 32), recent.Length);
        ulong expected = committed - (ulong)recent.Length;
        foreach (JsonElement epoch in recent)
        {
            Assert.Equal(++expected, epoch.GetProperty("epoch").GetUInt64());
            ulong fates = 0;
            foreach (string fate in (string[])["identical-pages", "delta-pages", "zero-pages", "full-pages"])
                fates += epoch.GetProperty(fate).GetUInt64();
            Assert.Equal(epoch.GetProperty("dirty-pages").GetUInt64(), fates);
            Assert.True(epoch.GetProperty("transferred").GetUInt64() > 0);
            Assert.True(epoch.GetProperty("pause-us").GetUInt64() > 0);
            Assert.True(epoch.GetProperty("apply-us").GetUInt64() > 0);
            Assert.Equal(isPrimary, epoch.TryGetProperty("cause", out _));
            Assert.Equal(isPrimary, epoch.TryGetProperty("commit-us", out _));
        }

        Assert.Equal(isPrimary ? "request" : null, isPrimary ? recent[^1].GetProperty("cause").GetString() : null);
        Assert.Equal(statistics.GetProperty("last-dirty-pages").GetUInt64(), recent[^1].GetProperty("dirty-pages").GetUInt64());
        Assert.Equal(statistics.GetProperty("skew-ns").GetInt64() / 1000, recent[^1].GetProperty("skew-us").GetInt64());
    }

    private static void Form(RunStateVm primary, RunStateVm secondary, int checkpointDelayMs)
    {
        string uri = $$"""{"uri": "unix:{{secondary.Folder}}/link"}""";
        foreach (RunStateVm vm in (RunStateVm[])[primary, secondary])
        {
            vm.Client.Execute("migrate-set-capabilities", ColoAndEvents);
            vm.Client.Execute("migrate-set-parameters", $$"""{"x-checkpoint-delay": {{checkpointDelayMs}}}""");
        }

        secondary.Client.Execute("migrate-incoming", uri);
        primary.Client.Execute("cont");
        primary.Client.Execute("migrate", uri);
        primary.Client.WaitForEvent("__org.colo-vm_COLO_ENTERED");
        secondary.Client.WaitForEvent("__org.colo-vm_COLO_ENTERED");
    }

    private static IEnumerable<string> Passes(int first, int count) => Enumerable.Range(first, count).Select(static pass => $"MIGRATION_PASS {pass}");
}
