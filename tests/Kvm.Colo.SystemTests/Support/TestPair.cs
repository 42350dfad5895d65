using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Links;

namespace Kvm.Colo.SystemTests.Support;

/// <summary>A primary and a secondary in one process, joined by a UNIX socket; both are real machines on /dev/kvm.</summary>
internal sealed class TestPair : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("colo-pair-").FullName;

    public TestPair(string image, string append, int checkpointDelayMs, ulong memoryMiB = 32, int cpus = 1, bool verify = true)
    {
        Uri = new MigrationUri(MigrationTransport.Unix, Path.Combine(_folder, "link"), 0);
        Primary = new TestMachine(image, append, memoryMiB, cpus);
        Secondary = new TestMachine(null, "", memoryMiB, cpus, incoming: true);
        foreach (TestMachine side in (TestMachine[])[Primary, Secondary])
        {
            side.Migration.Settings.CheckpointDelayMs = checkpointDelayMs;
            side.Migration.Settings.HeartbeatTimeoutMs = 5000;
            side.Migration.Settings.VerifyCheckpoints = verify;
        }
    }

    public MigrationUri Uri { get; }

    public TestMachine Primary { get; }

    public TestMachine Secondary { get; }

    /// <summary>Epochs the secondary has made live.</summary>
    public ulong Epoch => Secondary.Migration.Current!.Statistics.Counters.Epoch;

    /// <summary>Starts the guest, joins the two, and returns when the secondary's guest runs.</summary>
    public void Protect()
    {
        Secondary.Migration.Listen(Uri, keepListening: true);
        Primary.Machine.Start();
        Primary.Migration.Protect(Uri);
        Primary.Recorder.WaitFor($"MIGRATION {MigrationStatus.Colo}");
        Secondary.Recorder.WaitFor($"MIGRATION {MigrationStatus.Colo}");
    }

    public void WaitForEpoch(ulong epoch, int seconds = 60) =>
        Secondary.Recorder.WaitUntil(() => Epoch >= epoch || Broken(), $"epoch {epoch}", seconds);

    private bool Broken() => Secondary.Machine.State == RunState.InternalError || Primary.Machine.State == RunState.InternalError
        || Secondary.Recorder.Events.Any(static e => e.StartsWith("COLO_EXIT", StringComparison.Ordinal));

    public void Dispose()
    {
        Primary.Dispose();
        Secondary.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
