using Xunit;

namespace Kvm.Colo.HostTests;

/// <summary>The tests of other projects that need a KVM on VMX or SVM; scripts/test leaves them out where the machine has neither.</summary>
public sealed class FullKvmTests(OneHostFixture host) : IClassFixture<OneHostFixture>
{
    [TestbedTheory]
    [InlineData("Kvm.Colo.Kvm.Tests")]
    [InlineData("Kvm.Colo.SystemTests")]
    public void TestsOfFullKvm_PassInAHost(string project)
    {
        string bin = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", ".."));
        string assembly = Path.Combine(bin, project, Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), $"{project}.dll");
        string output = host.Run(150, "dotnet", "test", assembly, "--nologo", "--filter", "Category=FullKvm", "--results-directory", "/tmp");
        Assert.Matches(@"Passed!\s+- Failed:\s+0, Passed:\s+[1-9][0-9]*, Skipped:\s+0,", output);
    }
}
