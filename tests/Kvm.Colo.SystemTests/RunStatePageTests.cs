using Kvm.Colo.Machine;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.SystemTests.Support;
using Xunit;

namespace Kvm.Colo.SystemTests;

public class RunStatePageTests
{
    [Fact]
    public void Page_IsNotStale() => Check("RUN-STATES.md", RunStatePage.Write(FailoverPage.Write()));

    [Fact]
    public void Picture_IsNotStale() => Check("run-states.svg", RunStatePicture.Write());

    private static void Check(string name, string text)
    {
        string path = Path.Combine(TestImages.RepositoryRoot, "src", "Kvm.Colo.Machine", name);
        if (Environment.GetEnvironmentVariable("COLO_WRITE_DOCS") == "1")
            File.WriteAllText(path, text);
        Assert.True(File.ReadAllText(path) == text, $"{name} is stale: run these tests once with COLO_WRITE_DOCS=1");
    }
}
