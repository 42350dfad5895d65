using Kvm.Colo.Cli.Commands;
using Xunit;

namespace Kvm.Colo.Cli.Tests;

public class ColoVmTests
{
    [Theory]
    [InlineData]
    [InlineData("bogus")]
    [InlineData("run")]
    [InlineData("run", "--nosuch")]
    [InlineData("run", "--kernel")]
    [InlineData("run", "--kernel", "k", "extra")]
    [InlineData("run", "--kernel", "k", "--cpus", "x")]
    [InlineData("run", "--kernel", "k", "--cpus", "1", "--cpus", "2")]
    [InlineData("run", "--kernel", "k", "--disk", "file=/x")]
    [InlineData("run", "--kernel", "k", "--net", "tap")]
    [InlineData("run", "--config", "/nonexistent/file")]
    [InlineData("check", "extra")]
    [InlineData("status")]
    [InlineData("status", "--qmp", "here")]
    [InlineData("top", "--qmp", "unix:/x", "--interval", "1")]
    [InlineData("top", "--qmp", "unix:/x", "--count", "0")]
    [InlineData("qmp", "--qmp", "tcp:host:x", "query-status")]
    [InlineData("qmp", "--qmp", "unix:/x", "--events", "0")]
    [InlineData("qmp", "--qmp", "unix:/x", "--timeout", "-1")]
    [InlineData("qmp", "--qmp", "unix:/x", "a", "{bad")]
    public void Run_AnswersWrongUsage(params string[] arguments) => Assert.Equal(ExitStatus.WrongUsage, ColoVm.Run(arguments));

    [Theory]
    [InlineData("qmp", "--qmp", "unix:/nonexistent/socket", "query-status")]
    [InlineData("status", "--qmp", "unix:/nonexistent/socket")]
    [InlineData("top", "--qmp", "unix:/nonexistent/socket")]
    public void Run_Fails_WhenNobodyListens(params string[] arguments) => Assert.Equal(ExitStatus.Failed, ColoVm.Run(arguments));

    [Theory]
    [InlineData("--help")]
    [InlineData("--version")]
    [InlineData("run", "--help")]
    [InlineData("qmp", "--help")]
    public void Run_IsClean_WhenAskedForHelp(params string[] arguments) => Assert.Equal(ExitStatus.Clean, ColoVm.Run(arguments));
}
