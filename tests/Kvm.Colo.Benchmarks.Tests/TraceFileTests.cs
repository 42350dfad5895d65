using Kvm.Colo.Benchmarks.Comparison;
using Xunit;

namespace Kvm.Colo.Benchmarks.Tests;

public sealed class TraceFileTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Pauses_PairsStopWithRun_AsQemuAndColoVmWriteThem()
    {
        Write("""
            12@100.000100:colo_vm_state_change Change 'run' => 'stop'
            12@100.000350:colo_vm_state_change Change 'stop' => 'run'
            12@100.100000:colo_vm_state_change Change 'run' => 'stop'
            12@100.102500:colo_vm_state_change Change 'stop' => 'run'
            """);

        List<(double StartUs, double LengthUs)> pauses = TraceFile.Pauses(_path, 0, double.MaxValue);

        Assert.Equal([(100_000_100, 250), (100_100_000, 2500)], pauses);
    }

    [Fact]
    public void Pauses_TakesOnlyWhatBeganAndEndedInTheInterval()
    {
        Write("""
            1@1.000000:colo_vm_state_change Change 'run' => 'stop'
            1@2.000000:colo_vm_state_change Change 'stop' => 'run'
            1@3.000000:colo_vm_state_change Change 'run' => 'stop'
            1@3.000010:colo_vm_state_change Change 'stop' => 'run'
            1@4.000000:colo_vm_state_change Change 'run' => 'stop'
            1@6.000000:colo_vm_state_change Change 'stop' => 'run'
            """);

        Assert.Equal([(3_000_000, 10)], TraceFile.Pauses(_path, 1.5e6, 5e6));
    }

    [Fact]
    public void Pauses_LeavesOutWhatIsNotPairedOrNotATraceLine()
    {
        Write("""
            1@1.000000:colo_vm_state_change Change 'stop' => 'run'
            2026-11-21T10:00:00.000000Z qemu: a message @ 1.5: of somebody
            nonsense
            @.:colo_vm_state_change Change 'run' => 'stop'
            1@x.y00000:colo_vm_state_change Change 'run' => 'stop'
            1@1.50:colo_vm_state_change Change 'run' => 'stop'
            1@2.000000:colo_receive_message Receive 'vmstate-loaded' message
            1@3.000000:colo_vm_state_change Change 'run' => 'stop'
            1@3.00
            """);

        Assert.Empty(TraceFile.Pauses(_path, 0, double.MaxValue));
    }

    [Fact]
    public void FirstLoadedUs_IsTheFirstOneFromAMoment()
    {
        Write("""
            1@1.000000:colo_receive_message Receive 'checkpoint-ready' message
            1@2.000000:colo_receive_message Receive 'vmstate-loaded' message
            1@9.000000:colo_receive_message Receive 'vmstate-loaded' message
            """);

        Assert.Equal(2e6, TraceFile.FirstLoadedUs(_path, 0));
        Assert.Equal(9e6, TraceFile.FirstLoadedUs(_path, 3e6));
        Assert.Null(TraceFile.FirstLoadedUs(_path, 1e7));
    }

    [Fact]
    public void LongestStopUs_KnowsStopsByRunStateAndByCheckpoint()
    {
        Write("""
            1@1.000000:runstate_set current_run_state 9 (running) new_state 5 (finish-migrate)
            1@1.000400:runstate_set current_run_state 5 (finish-migrate) new_state 9 (running)
            1@2.000000:colo_vm_state_change Change 'run' => 'stop'
            1@2.000010:runstate_set current_run_state 9 (running) new_state 15 (colo)
            1@2.000690:runstate_set current_run_state 15 (colo) new_state 9 (running)
            1@2.000700:colo_vm_state_change Change 'stop' => 'run'
            1@5.000000:runstate_set current_run_state 9 (running) new_state 4 (paused)
            1@5.500000:runstate_set current_run_state 4 (paused) new_state 9 (running)
            """);

        Assert.Equal(700, TraceFile.LongestStopUs(_path, 0.5e6, 3e6), 3);
        Assert.Equal(400, TraceFile.LongestStopUs(_path, 0.5e6, 1.5e6), 3);
        Assert.Equal(0, TraceFile.LongestStopUs(_path, 6e6, 7e6));
    }

    private void Write(string text) => File.WriteAllText(_path, text);
}
