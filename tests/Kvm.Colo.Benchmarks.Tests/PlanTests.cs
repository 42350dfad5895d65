using Kvm.Colo.Benchmarks.Comparison;
using Kvm.Colo.Benchmarks.Emulated;
using Xunit;

namespace Kvm.Colo.Benchmarks.Tests;

public sealed class PlanTests
{
    private static readonly Subject[] s_two = [new(Contestant.QemuNoDelay), new(Contestant.Colo)];

    [Fact]
    public void Turns_AlternateWithinARound_AndRoundsRepeatWithinACell()
    {
        Cell[] cells = [Cell("one"), Cell("two")];

        string[] order = [.. Measurement.Turns(cells, 2, s_two).Select(static turn => $"{turn.Cell.Name}{turn.Round}{(turn.Subject.IsQemu ? 'A' : 'B')}")];

        Assert.Equal(["one1A", "one1B", "one2A", "one2B", "two1A", "two1B", "two2A", "two2B"], order);
    }

    [Fact]
    public void Missing_AreTheTurnsThatNobodyHasTaken()
    {
        IReadOnlyList<Cell> cells = [.. Plan.Cells(isQuick: false, 1).Where(static cell => cell.Name is "pages-16" or "pages-256")];
        RunRecord failed = Records.Run("pages-16", Contestant.Colo) with { Round = 2, Failure = "it ended" };

        Assert.Equal(
            ["pages-16 1 colo-vm", "pages-16 2 QEMU nodelay", "pages-256 1 colo-vm", "pages-256 2 QEMU nodelay", "pages-256 2 colo-vm"],
            Measurement.Missing(
                    Measurement.Turns(cells, 2, s_two),
                    [Records.Run("pages-16", Contestant.QemuNoDelay), failed, Records.Run("pages-256", Contestant.QemuNoDelay)])
                .Select(static turn => $"{turn.Cell.Name} {turn.Round} {turn.Subject.Label}"));
    }

    [Fact]
    public void Turns_LeavesOutWhoDoesNotFit()
    {
        Cell[] cells = [Cell("ours"), Cell("all")];

        Assert.Equal(3, Measurement.Turns(cells, 1, s_two, static (cell, subject) => cell.Name == "all" || !subject.IsQemu).Count());
    }

    [Theory]
    [InlineData(true, 9)]
    [InlineData(false, 24)]
    public void Cells_HaveUniqueNames(bool isQuick, int count) =>
        Assert.Equal(count, Plan.Cells(isQuick, 3).Select(static cell => cell.Name).Distinct(StringComparer.Ordinal).Count());

    [Fact]
    public void Cells_HaveWhatGoalsAndGrowthAskFor()
    {
        string[] names = [.. Plan.Cells(isQuick: false, 1).Concat(EmulatedPlan.Cells(isQuick: false, 1)).Select(static cell => cell.Name)];

        Assert.All(Growth.All, growth => Assert.True(names.Contains(growth.From) && names.Contains(growth.To)));
    }

    [Fact]
    public void Output_IsMeasuredOfUsAlone()
    {
        string[] turns = [.. Measurement.Turns(Plan.Cells(isQuick: true, 1), 1, s_two, Plan.Fits).Select(static turn => $"{turn.Cell.Name} {turn.Subject.Label}")];

        Assert.Equal(["output colo-vm"], turns.Where(static turn => turn.StartsWith("output", StringComparison.Ordinal)));
        Assert.Contains("pages-16 QEMU nodelay", turns);
    }

    [Fact]
    public void InAnEmulatedHost_LinuxIsForAll_AndGrowthForOurWaysOfTrackingBesideQemuWhereItFits()
    {
        string[] turns = [.. Measurement.Turns(EmulatedPlan.Cells(isQuick: true, 1), 1, EmulatedPlan.Subjects(), EmulatedPlan.Fits)
            .Select(static turn => $"{turn.Cell.Name} {turn.Subject.Label}")];

        Assert.Equal(
            [
                "linux-100 QEMU", "linux-100 QEMU nodelay", "linux-100 colo-vm",
                "growth-256 QEMU nodelay", "growth-256 colo-vm ring", "growth-256 colo-vm bitmap",
                "growth-4096 colo-vm ring", "growth-4096 colo-vm bitmap",
            ],
            turns);
    }

    [Fact]
    public void Contestants_BeginWithQemuAndEndWithUs()
    {
        Assert.Equal([Contestant.QemuShipped, Contestant.QemuNoDelay, Contestant.QemuUnix, Contestant.Colo], Plan.Contestants(isQuick: false));
        Assert.Equal([Contestant.QemuShipped, Contestant.QemuNoDelay, Contestant.Colo], Plan.Contestants(isQuick: true));
    }

    [Theory]
    [InlineData(null, "pages-16,pages-256,takeover-256")]
    [InlineData("pages-*", "pages-16,pages-256")]
    [InlineData("takeover-*,pages-16", "pages-16,takeover-256")]
    [InlineData("nothing", "")]
    public void Chosen_MatchesPatterns(string? patterns, string expected)
    {
        Cell[] cells = [Cell("pages-16"), Cell("pages-256"), Cell("takeover-256")];

        Assert.Equal(expected, string.Join(',', ComparisonCommand.Chosen(cells, patterns).Select(static cell => cell.Name)));
    }

    private static Cell Cell(string name) => new(name, "dirty", "", 256, 1, 100, 1);
}
