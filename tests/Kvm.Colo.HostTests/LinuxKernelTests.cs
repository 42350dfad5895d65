using Xunit;

namespace Kvm.Colo.HostTests;

/// <summary>Unmodified Debian kernels on full KVM: to the shell, and what they do with the machine itself.</summary>
public sealed class LinuxKernelTests(OneHostFixture host) : IClassFixture<OneHostFixture>
{
    // With the other scenarios both kernels come up with 1, 2 and 4 vCPUs: cloud 2 under disk and guest, 4 under clock; generic 1 and 2 under
    // power, 2 under save.
    [TestbedTheory]
    [InlineData("cloud", "1", "256M")]
    [InlineData("generic", "4", "256M")]
    [InlineData("cloud", "8", "5G")]
    [InlineData("vmlinux", "2", "256M")]
    public void Kernel_ReachesItsShellAndPowersOff(string kernel, string cpus, string memory) => host.Scenario(180, "boot", kernel, cpus, memory);

    [TestbedFact]
    public void Panic_IsReported() => host.Scenario(120, "panic", "cloud");

    [TestbedFact]
    public void Power_ButtonRebootAndPowerOffWork() => host.Scenario(200, "power", "generic");

    [TestbedFact]
    public void Clock_FollowsTheHosts() => host.Scenario(150, "clock", "cloud");
}
