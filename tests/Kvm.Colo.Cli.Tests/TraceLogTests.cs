using Kvm.Colo.Cli.Diagnostics;
using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Kvm.Colo.Stream;
using Xunit;

namespace Kvm.Colo.Cli.Tests;

public sealed class TraceLogTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Lines_AreQemus()
    {
        string[] lines = Trace(["*"]);

        Assert.Equal(
            [
                "colo_vm_state_change Change 'run' => 'stop'",
                "runstate_set current_run_state 9 (running) new_state 15 (colo)",
                "runstate_set current_run_state 15 (colo) new_state 9 (running)",
                "colo_vm_state_change Change 'stop' => 'run'",
                "migrate_set_state new state completed",
                "colo_send_message Send 'checkpoint-request' message",
                "colo_receive_message Receive 'vmstate-loaded' message",
            ],
            lines.Select(static line => line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..]));
        Assert.All(lines, line => Assert.Matches($@"^{Environment.ProcessId}@946684800\.000250:", line));
    }

    [Theory]
    [InlineData("runstate_set", 2)]
    [InlineData("colo_*_message", 2)]
    [InlineData("colo_*", 4)]
    public void Patterns_Choose(string pattern, int expected) => Assert.Equal(expected, Trace([pattern]).Length);

    [Fact]
    public void Open_GivesNothing_WhenNoEventMatches()
    {
        Assert.Null(TraceLog.Open(["nosuch*"], _path, TimeProvider.System));
        Assert.Null(TraceLog.Open([], _path, TimeProvider.System));
    }

    [Fact]
    public void Open_RefusesAFileThatCannotBeWritten() =>
        Assert.Throws<UsageException>(() => TraceLog.Open(["*"], "/nonexistent/trace", TimeProvider.System));

    private string[] Trace(IReadOnlyList<string> patterns)
    {
        using (TraceLog trace = TraceLog.Open(patterns, _path, new FixedTime())!)
        {
            trace.CheckpointPause(begins: true);
            trace.RunState(RunState.Running, RunState.Colo);
            trace.RunState(RunState.Colo, RunState.Running);
            trace.CheckpointPause(begins: false);
            trace.MigrationStatus(MigrationStatus.Completed);
            trace.ColoMessage(sent: true, ColoMessage.CheckpointRequest);
            trace.ColoMessage(sent: false, ColoMessage.VmstateLoaded);
        }

        return File.ReadAllLines(_path);
    }

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero).AddMicroseconds(250);
    }
}
