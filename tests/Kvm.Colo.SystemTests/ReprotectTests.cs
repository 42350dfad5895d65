using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.SystemTests;

/// <summary>A guest that outlived its primary is protected again by a new secondary, and outlives that host too.</summary>
[Trait("Category", "RequiresKvm")]
public class ReprotectTests
{
    [KvmFact]
    public void Survivor_IsProtectedAgain_AndItsSecondSecondaryTakesOver()
    {
        using TestPair pair = new("chain.elf", "report=20000", checkpointDelayMs: 20);
        pair.Protect();
        pair.WaitForEpoch(20);
        TestMachine survivor = pair.Secondary;
        pair.Primary.Migration.Dispose(); // first: a machine that has ended by then would say goodbye
        pair.Primary.Machine.Quit(ShutdownCause.HostSignal);
        survivor.Recorder.WaitFor("COLO_EXIT Secondary Error");
        survivor.Migration.LostHeartbeat();
        survivor.Recorder.WaitFor($"MIGRATION {MigrationStatus.Completed}");

        using TestMachine next = new(null, incoming: true);
        string path = Path.Combine(Path.GetTempPath(), $"colo-reprotect-{Environment.ProcessId}");
        MigrationUri uri = new(MigrationTransport.Unix, path, 0);
        next.Migration.Settings.VerifyCheckpoints = survivor.Migration.Settings.VerifyCheckpoints = true;
        survivor.Migration.Settings.CheckpointDelayMs = 20;
        next.Migration.Listen(uri, keepListening: true);
        survivor.Recorder.WaitUntil(() => TryProtect(survivor, uri), "the first session's thread to end");
        next.Recorder.WaitFor($"MIGRATION {MigrationStatus.Colo}");
        next.Recorder.WaitUntil(() => next.Migration.Current!.Statistics.Counters.Epoch >= 20, "twenty more epochs");

        survivor.Migration.Dispose();
        next.Recorder.WaitFor("COLO_EXIT Secondary Error");
        next.Migration.LostHeartbeat();
        int before = next.Console.Text.Length;
        next.Console.WaitFor(text => text.Length > before + 200, "more after the second failover");
        Assert.DoesNotContain("BROKEN", next.Console.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(next.Recorder.Events, static e => e.Contains("verification failed", StringComparison.Ordinal));
    }

    private static bool TryProtect(TestMachine machine, MigrationUri uri)
    {
        try
        {
            machine.Migration.Protect(uri);
            return true;
        }
        catch (MigrationException)
        {
            return false;
        }
    }
}
