using System.Globalization;
using Kvm.Colo.Benchmarks.Comparison;
using Xunit;

namespace Kvm.Colo.Benchmarks.Tests;

public sealed class GuestReportTests
{
    private static readonly (double, string)[] s_said =
    [
        (10, "dirty start pages=256 set=256 tick=0 at=0x200000 tsc-khz 2700000"),
        (20, "dirty gap-us 9999.9 ticks 1 ever-us 9999.9 count 3 tsc-khz 2700000"),
        (21, "dirty gaps-ns 512:3 8192:9"),
        (30, "dirty gap-us 120.5 ticks 1 ever-us 9999.9 count 3 tsc-khz 2700000"),
        (31, "dirty gaps-ns 512:7 100000:2"),
        (40, "dirty gap-us 250.0 ticks 1 ever-us 9999.9 count 3 tsc-khz 2700000"),
        (41, "dirty gaps-ns 512:1 200000:1"),
    ];

    [Fact]
    public void Read_SumsTheReportsAfterTheFirst_WhichTellsOfTheTimeBefore()
    {
        GuestReport report = GuestReport.Read(s_said);

        Assert.Equal((21, 41), (report.FromUs, report.ToUs));
        Assert.Equal(250, report.LargestUs);
        Assert.Equal([new(512, 8), new(100_000, 2), new(200_000, 1)], report.GapsNs);
    }

    [Fact]
    public void Read_SkipsWhatACheckpointToreApart()
    {
        GuestReport report = GuestReport.Read([(1, "dirty gaps-ns 1:1"), (2, "dirty gaps-ns 100:2 20"), (3, "rty gaps-ns 100:2"), (4, "dirty gaps-ns :5 7:x 8:1")]);

        Assert.Equal([new(8, 1), new(100, 2)], report.GapsNs);
    }

    [Fact]
    public void Read_OfFewerThanTwoReports_HasNoInterval()
    {
        GuestReport report = GuestReport.Read(s_said[..3]);

        Assert.True(double.IsNaN(report.ToUs));
        Assert.Empty(report.GapsNs);
    }

    [Theory]
    [InlineData(0.5, 100)]
    [InlineData(0.99, 200)]
    [InlineData(1, 200)]
    public void PauseUs_LooksOnlyAtAsManyOfTheLongestGapsAsThereWerePauses(double share, double lowerUs)
    {
        Dictionary<long, long> gaps = new() { [500] = 1_000_000, [100_000] = 8, [200_000] = 2 };

        Assert.Equal(lowerUs * 1.09, GuestReport.PauseUs(gaps, 10, share), 6);
    }

    [Fact]
    public void PauseUs_IsNoNumber_WhenTheGuestSawFewerGaps() =>
        Assert.True(double.IsNaN(GuestReport.PauseUs(new Dictionary<long, long> { [500] = 1 }, 100, 0.5)));

    [Fact]
    public void PagesPerSecond_IsTakenFromTheHostsClock()
    {
        (double, string)[] lines =
        [
            (1e6, "dirty pass 10 pages 1000 t=500"), (1.5e6, "dirty gap-us 1.0"), (2e6, "dirty pass 20 pages"), (3e6, "dirty pass 30 pages 5000 t=501"),
        ];

        Assert.Equal(2000, GuestSpeed.PagesPerSecond(lines));
        Assert.True(double.IsNaN(GuestSpeed.PagesPerSecond(lines[..2])));
    }

    [Theory]
    [InlineData("0:100 1000:200 2000:300 3000:400", null)]
    [InlineData("0:100 1000:200 2000:50 3000:150", "the guest began anew")]
    [InlineData("0:100", "the guest stood still: 1 reports in 4 s")]
    [InlineData("0:100 500:200", "the guest stood still: 2 reports in 4 s")]
    [InlineData("", "the guest stood still: 0 reports in 4 s")]
    public void AGuestThatBeganAnewOrStoodStill_HasNoFigures(string reports, string? fault)
    {
        (double, string)[] lines =
        [
            .. reports.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static report => report.Split(':'))
                .Select(static parts => (1000 * double.Parse(parts[0], CultureInfo.InvariantCulture), $"dirty pass 1 pages {parts[1]} t=1")),
        ];

        Assert.Equal(fault, GuestSpeed.Fault(lines, 4));
    }
}
