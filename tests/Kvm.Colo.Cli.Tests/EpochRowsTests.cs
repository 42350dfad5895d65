using System.Text.Json;
using Kvm.Colo.Cli.Monitor;
using Xunit;

namespace Kvm.Colo.Cli.Tests;

public class EpochRowsTests
{
    [Fact]
    public void Primary_NewestFirst_UpToTheLimit()
    {
        using JsonDocument statistics = JsonDocument.Parse("""
            {"recent":[
            {"epoch":1},
            {"epoch":2,"cause":"network","dirty-pages":20,"identical-pages":5,"delta-pages":6,"zero-pages":1,"full-pages":8,
             "transferred":36864,"pause-us":180,"commit-us":1200,"apply-us":900,"skew-us":-2100},
            {"epoch":3,"cause":"timer","dirty-pages":0,"identical-pages":0,"delta-pages":0,"zero-pages":0,"full-pages":0,
             "transferred":900,"pause-us":90,"commit-us":300,"apply-us":200,"skew-us":-500}]}
            """);
        IReadOnlyList<string[]> rows = EpochRows.From(statistics.RootElement, limit: 2);
        Assert.Equal(2, rows.Count);
        Assert.Equal(["3", "timer", "0", "0", "0", "0", "0", "900 B", "90 us", "300 us", "200 us", "-500 us"], rows[0]);
        Assert.Equal(["2", "network", "20", "5", "6", "8", "1", "36.0 KiB", "180 us", "1.2 ms", "900 us", "-2.1 ms"], rows[1]);
        Assert.All(rows, static row => Assert.Equal(EpochRows.Columns.Count, row.Length));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"recent":7}""")]
    [InlineData("""{"recent":[]}""")]
    public void NoEpochs_NoRows(string json)
    {
        using JsonDocument statistics = JsonDocument.Parse(json);
        Assert.Empty(EpochRows.From(statistics.RootElement, limit: 8));
    }

    [Fact]
    public void Secondary_LeavesOutWhatItDoesNotKnow()
    {
        using JsonDocument statistics = JsonDocument.Parse("""{"recent":[{"epoch":9,"dirty-pages":3,"pause-us":70,"apply-us":70}]}""");
        string[] row = Assert.Single(EpochRows.From(statistics.RootElement, limit: 8));
        Assert.Equal(["9", "-", "3", "-", "-", "-", "-", "-", "70 us", "-", "70 us", "-"], row);
    }
}
