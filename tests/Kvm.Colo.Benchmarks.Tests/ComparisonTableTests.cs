using System.Text.Json;
using Kvm.Colo.Benchmarks.Comparison;
using Kvm.Colo.Benchmarks.Reporting;
using Xunit;

namespace Kvm.Colo.Benchmarks.Tests;

public sealed class ComparisonTableTests
{
    [Fact]
    public void Write_HasALinePerFigure_AndTheRatioToTheBestOfQemu()
    {
        string text = Render(Records.Data(
            Records.Run("pages-256", Contestant.QemuShipped, 44_000, 88_000), Records.Run("pages-256", Contestant.QemuNoDelay, 2600, 5000),
            Records.Run("pages-256", Contestant.Colo, 200, 260)));

        Assert.Equal(["cell figure QEMU QEMU nodelay colo-vm best QEMU : colo-vm"], Lines(text, "cell "));
        Assert.Equal(
            ["pages-256 pause p50 / p99 / max, us 44000 / 88000 / 88000 2600 / 5000 / 5000 200 / 260 / 260 13"], Lines(text, "pages-256 pause"));
        Assert.Equal(["pages-256 checkpoints/s 0.20 0.20 0.20 1.00"], Lines(text, "pages-256 checkpoints/s"));
        Assert.Contains("met    pages-256: pause p50, us at most 250: 200", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_ShowsADash_WhereSomebodyHasNoFigure()
    {
        RunRecord failed = Records.Run("pages-256", Contestant.QemuNoDelay);
        failed.Failure = "no monitor";
        failed = failed with { BusyShare = 0.2 };

        string text = Render(Records.Data(failed, Records.Run("pages-256", Contestant.Colo, 200)));

        Assert.Equal(["pages-256 checkpoints/s - 0.10"], Lines(text, "pages-256 checkpoints/s"));
        Assert.Contains("failed: pages-256 QEMU nodelay round 1: no monitor", text, StringComparison.Ordinal);
        Assert.Contains("1 of 2 runs were measured on a busy machine.", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_ShowsGrowthOfThoseMeasuredInBothCells()
    {
        string text = Render(Records.Data(
            Records.Run("pages-256", Contestant.QemuNoDelay, 2600), Records.Run("pages-256", Contestant.Colo, 200),
            Records.Run("pages-10000", Contestant.Colo, 200 + 9744), Records.Run("ram-4096", Contestant.Colo, 220)));

        Assert.Equal(["growth pause p50 per dirty page, us - 1.00"], Lines(text, "growth pause p50 per"));
        Assert.Equal(["growth pause p50 of 4 GiB over 256 MiB, % - 10.0"], Lines(text, "growth pause p50 of 4"));
        Assert.Empty(Lines(text, "growth pause p50 of a second"));
    }

    [Fact]
    public void Write_ListsStarts()
    {
        ComparisonData data = Records.Data();
        data.Boots.AddRange([new("colo-vm", 30), new("colo-vm", 50), new("colo-vm", 40)]);

        Assert.Contains("start to first serial byte, colo-vm: median 40.0 ms (30.0 to 50.0, 3 starts)", Render(data), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10, 4, "2.50")]
    [InlineData(500, 4, "125")]
    [InlineData(5, 0, "")]
    [InlineData(double.NaN, 1, "")]
    public void Ratio_HasThreeDigitsOrNothing(double above, double below, string expected) => Assert.Equal(expected, TextTable.Ratio(above, below));

    [Fact]
    public void RawData_KeepsWhatCouldNotBeHad()
    {
        string json = RawData.Text(Records.Data(Records.Run("pages-256", Contestant.Colo, 200)));

        Assert.Contains("\"ProtectedMs\": \"NaN\"", json, StringComparison.Ordinal);
        Assert.Contains("\"Command\": \"test\"", json, StringComparison.Ordinal);
    }

    [Fact]
    public void RawData_IsReadAgain()
    {
        using JsonDocument statistics = JsonDocument.Parse("""{"checkpoints":14}""");
        RunRecord run = Records.Run("pages-256", Contestant.Colo, 200, 300) with
        {
            GuestGapsNs = new() { [1000] = 5 },
            PrimaryCpu = new() { ["vcpu-0"] = 1000, ["migration"] = 8 },
            PrimaryMemory = Records.Memory(20),
            StatisticsAfter = statistics.RootElement.Clone(),
        };
        RunRecord failed = Records.Run("pages-16", Contestant.QemuShipped) with { Failure = "it ended" };
        string text = RawData.Text(Records.Data(run, failed));

        Assert.Equal(text, RawData.Text(Records.Data([.. RawData.Runs(text)])));
        Assert.Throws<JsonException>(() => RawData.Runs("{}"));
    }

    private static string Render(ComparisonData data)
    {
        using StringWriter writer = new();
        ComparisonTable.Write(data, TextTable.Plain(writer), writer);
        return writer.ToString();
    }

    // Columns are as wide as they need to be: only the words count.
    private static IEnumerable<string> Lines(string text, string start) => text.Split('\n')
        .Select(static line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
        .Where(line => line.StartsWith(start, StringComparison.Ordinal));
}
