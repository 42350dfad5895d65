using System.Xml.Linq;
using Kvm.Colo.Benchmarks.Comparison;
using Kvm.Colo.Benchmarks.Reporting;
using Xunit;

namespace Kvm.Colo.Benchmarks.Tests;

public sealed class SvgChartTests
{
    [Fact]
    public void Render_IsWellFormed_WithALinePerSeriesAndANamePerColour()
    {
        SvgChart chart = new("pauses & more <of> them", "pause, us", "share", isYLog: true);
        chart.Add("QEMU", [(10, 1), (100, 10)]);
        chart.Add("QEMU", [(10, 2), (100, 20)], isDashed: true);
        chart.Add("colo-vm", [(10, 1), (0, 5), (100, double.NaN), (1000, 3)]);

        XElement svg = XElement.Parse(chart.Render());

        XElement[] lines = [.. svg.Elements().Where(static element => element.Name.LocalName == "polyline")];
        Assert.Equal(3, lines.Length);
        Assert.Equal(2, lines.Select(static line => line.Attribute("stroke")!.Value).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(2, lines[2].Attribute("points")!.Value.Split(' ').Length);
    }

    [Fact]
    public void Add_OfNothing_LeavesItEmpty()
    {
        SvgChart chart = new("", "", "", isYLog: false);
        chart.Add("nobody", [(0, 1), (1, double.NaN)]);

        Assert.True(chart.IsEmpty);
    }

    [Fact]
    public void Pictures_AreWrittenForCellsAndGrowth()
    {
        string folder = Directory.CreateTempSubdirectory("bench-pictures").FullName;
        try
        {
            ComparisonData data = Records.Data(
                Records.Run("pages-256", Contestant.Colo, 200, 300), Records.Run("pages-10000", Contestant.Colo, 400), Records.Run("takeover-256", Contestant.Colo, 1));

            IReadOnlyList<string> paths = ComparisonPictures.Write(data, folder);

            Assert.Equal(["pauses-pages-256.svg", "pauses-pages-10000.svg", "growth-dirty-pages.svg"], paths.Select(static path => Path.GetFileName(path)));
            Assert.All(paths, static path => XElement.Load(path));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
