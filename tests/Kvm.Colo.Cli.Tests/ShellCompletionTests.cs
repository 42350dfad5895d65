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

    [Fact]
    public void Complete_OffersNothingForAnUnknownCommand() => Assert.Empty(_completion.Complete("nosuch a", out _));

    [Fact]
    public void CommonPrefix_OfNothingIsEmpty() => Assert.Equal("", ShellCompletion.CommonPrefix([]));
}
