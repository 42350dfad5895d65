using System.Text.Json;
using Kvm.Colo.Benchmarks.Comparison;
using Xunit;

namespace Kvm.Colo.Benchmarks.Tests;

public sealed class SummaryTests
{
    [Fact]
    public void PausesAreOverAllRounds_OtherFiguresTheMedianOfTheRounds()
    {
        Summary summary = new([Round([100, 200], 1000), Round([300, 400], 4000), Round([500, 600], 90_000)]);

        Assert.Equal(300, summary.Pauses.P50);
        Assert.Equal(600, summary.Pauses.Maximum);
        Assert.Equal(0.2, summary.CheckpointsPerSecond);
        Assert.Equal(4000 / 1024.0 / 2, summary.KiBPerCheckpoint, 9);
        Assert.Equal(100 - (700 / 1e6 / 10 * 100), summary.GuestRunsPercent, 9);
    }

    [Fact]
    public void CpuIsPerCheckpoint_WithoutTheVcpus()
    {
        RunRecord run = Round([1, 1, 1, 1], 0);
        run.PrimaryCpu = new() { ["vcpu-0"] = 1000, ["migration"] = 8 };
        run.SecondaryCpu = new() { ["CPU 0/KVM"] = 1000, ["worker"] = 4 };
        Summary summary = new([run]);

        Assert.Equal((2, 1, 3), (summary.PrimaryCpuMs, summary.SecondaryCpuMs, summary.BothCpuMs));
    }

    [Fact]
    public void WhatWasNotMeasured_IsNoNumber()
    {
        RunRecord run = Round([5], 0);
        run.LinkBytes = null;
        Summary summary = new([run]);

        double[] figures =
        [
            summary.KiBPerCheckpoint, summary.SecondaryMiB, summary.ProtectedMs, summary.DecisionToRunningMs, summary.SlowdownPercent,
            summary.LongestStopUs, summary.AgainCommands, summary.GuestPauseUs(0.5), summary.CountedP50Us("commit"), summary.DirtyPagesPerCheckpoint,
        ];
        Assert.All(figures, static figure => Assert.True(double.IsNaN(figure)));
        Assert.True(new Summary([]).IsEmpty);
    }

    [Fact]
    public void TheSlowdown_IsAgainstTheGuestAlone()
    {
        RunRecord run = Round([5], 0);
        run.SoloPagesPerSecond = 1000;
        run.PagesPerSecond = 970;

        Assert.Equal(3, new Summary([run]).SlowdownPercent, 9);
    }

    [Fact]
    public void OwnStatistics_GiveDirtyPagesAndTimes()
    {
        RunRecord run = Round([5], 0);
        run.StatisticsBefore = Json("""{"checkpoints":10,"dirty-pages":1000}""");
        run.StatisticsAfter = Json("""{"checkpoints":14,"dirty-pages":3000,"commit":{"p50-ns":1500}}""");
        Summary summary = new([run]);

        Assert.Equal(500, summary.DirtyPagesPerCheckpoint);
        Assert.Equal(1.5, summary.CountedP50Us("commit"));
    }

    [Theory]
    [InlineData(2 * (21_000 + (1000 * 4104)), 1000)]
    [InlineData(2 * 20_000, 0)]
    public void QemusDirtyPages_AreCountedByTheirBytes(long bytes, double pages) =>
        Assert.Equal(pages, new Summary([Round([5, 5], bytes)]).DirtyPagesPerCheckpoint, 6);

    [Fact]
    public void TheGuestsPauses_AreTheLongestGapsOfAllRounds()
    {
        RunRecord one = Round([1], 0);
        one.GuestPauses = 2;
        one.GuestGapsNs = new() { [1000] = 50, [64_000] = 2 };
        one.GuestMaxGapUs = 70;
        RunRecord two = Round([1], 0);
        two.GuestPauses = 2;
        two.GuestGapsNs = new() { [1000] = 70, [128_000] = 2 };
        two.GuestMaxGapUs = 130;
        Summary summary = new([one, two]);

        Assert.Equal(64 * 1.09, summary.GuestPauseUs(0.5), 6);
        Assert.Equal(128 * 1.09, summary.GuestPauseUs(1), 6);
        Assert.Equal(130, summary.GuestMaxUs);
    }

    private static RunRecord Round(double[] pausesUs, long bytes)
    {
        RunRecord run = Records.Run("pages-256", Contestant.Colo, pausesUs);
        run.LinkBytes = bytes;
        return run;
    }

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;
}
