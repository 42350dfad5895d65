using System.Text.Json;
using Kvm.Colo.Benchmarks.Ablation;
using Kvm.Colo.Benchmarks.Comparison;
using Kvm.Colo.Benchmarks.Reporting;
using Xunit;

namespace Kvm.Colo.Benchmarks.Tests;

public sealed class AblationTests
{
    [Fact]
    public void Variants_TakeEachTechniqueAwayOnce_AndLeaveOtherParametersAlone()
    {
        JsonElement parameters = JsonDocument.Parse("""
            {
              "x-checkpoint-delay": 20000, "x-colo-strict-pause": false, "direct-io": true,
              "__org.colo-vm_verify-checkpoints": false, "__org.colo-vm_page-hashes": true, "__org.colo-vm_delta-cache-size": 268435456,
              "__org.colo-vm_something-new": true
            }
            """).RootElement;

        string[] variants = [.. AblationPlan.Variants(parameters).Select(static v => $"{v.Label}: {string.Join(", ", v.Parameters)}")];

        Assert.Equal(
            [
                "all on: ",
                "without early resume: (x-colo-strict-pause, true)",
                "without page-hashes: (__org.colo-vm_page-hashes, false)",
                "without deltas: (__org.colo-vm_delta-cache-size, 0)",
                "without something-new: (__org.colo-vm_something-new, false)",
            ],
            variants);
    }

    [Theory]
    [InlineData(true, 3)]
    [InlineData(false, 5)]
    public void Cells_AreThoseOfTheComparison(bool isQuick, int count)
    {
        IReadOnlyList<Cell> cells = AblationPlan.Cells(isQuick, 7);

        Assert.Equal(count, cells.Count);
        Assert.All(cells, static cell => Assert.Equal(7, cell.WindowSeconds));
    }

    [Fact]
    public void Write_HasRatiosToAllOn()
    {
        RunRecord failed = Records.Run("lock-step", "without deltas");
        failed.Failure = "lost";
        ComparisonData data = Records.Data(
            Records.Run("lock-step", AblationPlan.AllOn, 200), Records.Run("lock-step", "without early resume", 3000), failed);
        using StringWriter writer = new();

        AblationTable.Write(data, TextTable.Plain(writer), writer);

        string[] lines = [.. writer.ToString().Split('\n').Select(static line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))];
        Assert.Contains("lock-step all on 200 200 - 0.00 - 0.10", lines);
        Assert.Contains("lock-step without early resume 3000 15 3000 15 - 0.00 - 0.10", lines);
        Assert.Contains("lock-step without deltas - - - - - -", lines);
        Assert.Contains("failed: lock-step without deltas round 1: lost", lines);
    }
}
