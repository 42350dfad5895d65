using Kvm.Colo.Benchmarks.Comparison;
using Xunit;

namespace Kvm.Colo.Benchmarks.Tests;

public sealed class GoalsTests
{
    [Theory]
    [InlineData(250, 2500, true, true)]
    [InlineData(250.1, 2500, false, false)]
    [InlineData(100, 999, true, false)]
    [InlineData(100, 1000, true, true)]
    public void APause_MeetsItsGoalAtTheBoundary(double ours, double theirs, bool meetsTime, bool meetsRatio)
    {
        ComparisonData data = Records.Data(
            Records.Run("pages-256", Contestant.QemuNoDelay, theirs), Records.Run("pages-256", Contestant.Colo, ours));

        Assert.Equal(meetsTime, Verdict(data, "pages-256: pause p50, us at most 250"));
        Assert.Equal(meetsRatio, Verdict(data, "pages-256: pause p50, QEMU to colo-vm at least 10"));
    }

    [Fact]
    public void TheRatio_IsToTheBestOfQemusVariants()
    {
        ComparisonData data = Records.Data(
            Records.Run("pages-10000", Contestant.QemuShipped, 88_000), Records.Run("pages-10000", Contestant.QemuNoDelay, 28_000),
            Records.Run("pages-10000", Contestant.QemuUnix, 19_000), Records.Run("pages-10000", Contestant.Colo, 1000));

        Assert.False(Verdict(data, "pages-10000: pause p50, QEMU to colo-vm at least 20"));
        Assert.Contains(Goals.Judge(data), static goal => goal.ToString() == "MISSED pages-10000: pause p50, QEMU to colo-vm at least 20: 19");
    }

    [Fact]
    public void AFailedRun_CountsForNobody()
    {
        RunRecord failed = Records.Run("pages-10000", Contestant.QemuUnix, 1);
        failed.Failure = "it did not answer";
        ComparisonData data = Records.Data(
            Records.Run("pages-10000", Contestant.QemuNoDelay, 28_000), failed, Records.Run("pages-10000", Contestant.Colo, 1000));

        Assert.True(Verdict(data, "pages-10000: pause p50, QEMU to colo-vm at least 20"));
    }

    [Fact]
    public void CellsThatWereNotMeasured_AreLeftOut()
    {
        Assert.Empty(Goals.Judge(Records.Data()));
        Assert.Empty(Goals.Judge(Records.Data(Records.Run("pages-256", Contestant.QemuNoDelay, 2600))));
    }

    [Theory]
    [InlineData(100, 115, true)]
    [InlineData(100, 115.1, false)]
    public void ThePause_MayGrowByRamALittle(double small, double large, bool isMet)
    {
        ComparisonData data = Records.Data(Records.Run("pages-256", Contestant.Colo, small), Records.Run("ram-4096", Contestant.Colo, large));

        Assert.Equal(isMet, Verdict(data, "pause p50 at 4 GiB over that at 256 MiB, % at most 15"));
    }

    [Theory]
    [InlineData(Tracking.Ring, 105, "5", true)]
    [InlineData(Tracking.Ring, 105.1, "5", false)]
    [InlineData(Tracking.Bitmap, 115, "15", true)]
    [InlineData(Tracking.Bitmap, 116, "15", false)]
    public void ThePause_GrowsLessWithTheRingThanWithTheBitmap(string label, double large, string limit, bool isMet)
    {
        ComparisonData data = Records.Data(Records.Run("growth-256", label, 100), Records.Run("growth-4096", label, large));

        Assert.Equal(isMet, Verdict(data, $"{label}: pause p50 at 4 GiB over that at 256 MiB, % at most {limit}"));
    }

    [Theory]
    [InlineData(8192, true)]
    [InlineData(8193, false)]
    public void ACheckpoint_HasFewBytesBesidePages(long bytes, bool isMet)
    {
        RunRecord run = Records.Run("one-page", Contestant.Colo, 1, 1);
        run.LinkBytes = bytes;

        Assert.Equal(isMet, Verdict(Records.Data(run), "one-page: KiB per checkpoint at most 4"));
    }

    [Theory]
    [InlineData(281, true)]
    [InlineData(282, false)]
    public void TheSecondary_NeedsTheGuestsRamAndATenth(double mebibytes, bool isMet)
    {
        RunRecord run = Records.Run("takeover-256", Contestant.Colo, 1);
        run.SecondaryMemory = Records.Memory(mebibytes);

        Assert.Equal(isMet, Verdict(Records.Data(run), "takeover-256: memory of the secondary, MiB at most 282"));
    }

    [Theory]
    [InlineData(381, true)]
    [InlineData(382, false)]
    public void TheSecondary_MayHoldTheDirtySetOnceMore(double mebibytes, bool isMet)
    {
        RunRecord run = Records.Run("pages-25600", Contestant.Colo, 1);
        run.SecondaryMemory = Records.Memory(mebibytes);

        Assert.Equal(isMet, Verdict(Records.Data(run), "pages-25600: memory of the secondary, MiB at most 382"));
    }

    [Theory]
    [InlineData(47, true)]
    [InlineData(48, false)]
    public void UntouchedRam_CostsNothing(double largeMebibytes, bool isMet)
    {
        RunRecord small = Records.Run("takeover-256", Contestant.Colo, 1);
        small.SecondaryMemory = Records.Memory(40);
        RunRecord large = Records.Run("takeover-4096", Contestant.Colo, 1);
        large.SecondaryMemory = Records.Memory(largeMebibytes);

        Assert.Equal(isMet, Verdict(Records.Data(small, large), "secondary's memory per GiB of untouched RAM, MiB at most 2"));
    }

    [Theory]
    [InlineData(1000, 1, true, true)]
    [InlineData(1000.5, 2, false, false)]
    public void Protection_StopsTheGuestNowhereForLong_AndTakesOneCommand(double stopUs, int commands, bool meetsStop, bool meetsCommands)
    {
        RunRecord run = Records.Run("takeover-4096", Contestant.Colo, 1);
        run.LongestStopUs = stopUs;
        run.Again = new ProtectedAgainFigures(commands, 100, 900);
        ComparisonData data = Records.Data(run);

        Assert.Equal(meetsStop, Verdict(data, "takeover-4096: longest stop until protected, us at most 1000"));
        Assert.Equal(meetsCommands, Verdict(data, "takeover-4096: commands to be protected again at most 1"));
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(2.1, false)]
    public void TheTakeover_IsTwoMillisecondsAtAnyRam(double milliseconds, bool isMet)
    {
        RunRecord run = Records.Run("takeover-4096", Contestant.Colo, 1);
        run.Takeover = new TakeoverFigures(milliseconds, 5, 5);

        Assert.Equal(isMet, Verdict(Records.Data(run), "takeover-4096: decision to running, ms at most 2"));
    }

    [Theory]
    [InlineData("death", 2, true)]
    [InlineData("death", 2.1, false)]
    [InlineData("silence", 50, true)]
    [InlineData("silence", double.NaN, false)]
    public void ALostPrimary_IsNoticed(string cell, double milliseconds, bool isMet)
    {
        RunRecord run = Records.Run(cell, Contestant.Colo, 1);
        run.DetectedMs = milliseconds;

        Assert.Equal(isMet, Verdict(Records.Data(run), $"{cell}: loss to COLO_EXIT, ms at most {(cell == "death" ? 2 : 50)}"));
    }

    private static bool Verdict(ComparisonData data, string goal) => Assert.Single(Goals.Judge(data), result => result.Goal == goal).IsMet;
}
