using Kvm.Colo.Cli.Monitor;
using Kvm.Colo.Qmp.Commands;
using Xunit;

namespace Kvm.Colo.Cli.Tests;

public class ShellCompletionTests
{
    private readonly ShellCompletion _completion = new(QmpSchemas.Product);

    [Fact]
    public void Complete_OffersCommands()
    {
        IReadOnlyList<string> offers = _completion.Complete("query-colo", out int start);

        Assert.Equal(0, start);
        Assert.Contains("query-colo-status", offers);
        Assert.StartsWith("query-colo-stat", ShellCompletion.CommonPrefix(offers), StringComparison.Ordinal);
    }

    [Fact]
    public void Complete_OffersArgumentsAsWords()
    {
        IReadOnlyList<string> offers = _completion.Complete("migrate-set-parameters x-check", out int start);

        Assert.Equal("migrate-set-parameters ".Length, start);
        Assert.Equal(["x-checkpoint-delay="], offers);
    }

    [Theory]
    [InlineData("set-action panic=e", "panic=exit-failure")]
    [InlineData("migrate-set-parameters direct-io=", "direct-io=on direct-io=off")]
    [InlineData("set-action watchdog", "watchdog=")]
    public void Complete_OffersValuesAsWords(string line, string offers) =>
        Assert.Equal(offers, string.Join(' ', _completion.Complete(line, out _)));

    [Theory]
    [InlineData("query-colo-sta", "query-colo-statistics query-colo-status")]
    [InlineData("set-action|", "panic= reboot= shutdown= watchdog=")]
    [InlineData("set-action|panic=none|reboot=s", "reboot=shutdown")]
    [InlineData("device_ad", "")]
    public void Words_AreCompletedForTheUsersShell(string words, string offers)
    {
        string[] given = words.Split('|');
        Assert.Equal(offers, string.Join(' ', ShellWords.Complete([.. given.Where(static word => word.Length > 0)], given[^1]).Order()));
    }

    [Fact]
    public void Complete_OffersNothingForAnUnknownCommand() => Assert.Empty(_completion.Complete("nosuch a", out _));

    [Fact]
    public void CommonPrefix_OfNothingIsEmpty() => Assert.Equal("", ShellCompletion.CommonPrefix([]));
}
