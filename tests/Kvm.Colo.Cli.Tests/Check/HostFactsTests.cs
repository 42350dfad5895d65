using Kvm.Colo.Cli.Check;
using Xunit;

namespace Kvm.Colo.Cli.Tests.Check;

public sealed class HostFactsTests : IDisposable
{
    private readonly string _modules = Directory.CreateTempSubdirectory("colo-modules-").FullName;

    public void Dispose() => Directory.Delete(_modules, recursive: true);

    [Theory]
    [InlineData("kvm_intel/parameters/ept", "Y\n", "EPT")]
    [InlineData("kvm_amd/parameters/npt", "1\n", "NPT")]
    [InlineData("kvm_amd/parameters/npt", "N\n", null)]
    [InlineData("other/parameters/npt", "Y\n", null)]
    public void NestedPaging_IsWhatTheModuleSays(string file, string text, string? expected)
    {
        string path = Path.Combine(_modules, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);

        CheckFact fact = HostFacts.NestedPaging(_modules);

        Assert.Equal(expected is null ? CheckLevel.Warn : CheckLevel.Ok, fact.Level);
        Assert.Equal(expected is null, fact.Remedy is not null);
        if (expected is not null)
            Assert.Equal(expected, fact.Finding);
    }
}
