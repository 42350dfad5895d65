using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.SystemTests.Support;

namespace Kvm.Colo.SystemTests;

/// <summary>A pair in COLO whose guest writes to ports, with checkpoints back to back, each verified.</summary>
internal sealed class RunStatePair : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("colo-runstate-").FullName;

    public RunStatePair(Func<MachineConfig, MachineConfig>? adjust = null, int checkpointDelayMs = 0, bool start = true)
    {
        MigrationUri uri = new(MigrationTransport.Unix, Path.Combine(_folder, "link"), 0);
        Primary = RunStateGuest.Create(adjust);
        Secondary = RunStateGuest.Create(config => (adjust ?? (static c => c))(config with { IsIncoming = true }));
        foreach (TestMachine side in Sides)
        {
            side.Migration.Settings.CheckpointDelayMs = checkpointDelayMs;
            side.Migration.Settings.VerifyCheckpoints = true;
        }

        Secondary.Migration.Listen(uri, keepListening: false);
        if (start)
            Primary.Boot();

        Primary.Migration.Protect(uri);
        foreach (TestMachine side in Sides)
            side.Recorder.WaitFor($"MIGRATION {MigrationStatus.Colo}");
        Primary.Migration.RequestCheckpoint();
        WaitForEpochs(1);
    }

    public TestMachine Primary { get; }

    public TestMachine Secondary { get; }

    public TestMachine[] Sides => [Primary, Secondary];

    public ulong Epoch => Secondary.Migration.Current!.Statistics.Counters.Epoch;

    /// <summary>Waits until so many more epochs have gone live.</summary>
    public void WaitForEpochs(ulong count)
    {
        ulong target = Epoch + count;
        long end = Environment.TickCount64 + 20_000;
        while (Epoch < target)
        {
            if (Environment.TickCount64 > end || Secondary.CountEvents("COLO_EXIT") > 0)
                throw new TimeoutException($"epoch {Epoch} of {target}; seen:\n{Seen}");
            Thread.Yield();
        }
    }

    public string Seen => string.Join('\n', Primary.Recorder.Events.Select(static e => "P " + e).Concat(Secondary.Recorder.Events.Select(static e => "S " + e)));

    /// <summary>Waits until both guests are in this state.</summary>
    public void WaitForState(RunState state)
    {
        foreach (TestMachine side in Sides)
            side.WaitForState(state);
    }

    public void Dispose()
    {
        Primary.Dispose();
        Secondary.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
