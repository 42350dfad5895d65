using Xunit;

namespace Kvm.Colo.HostTests;

/// <summary>Guests on full KVM, most of them unmodified Debian kernels.</summary>
[Collection("emulated hosts, one class at a time")]
public sealed class LinuxGuestTests : IClassFixture<OneHostFixture>
{
    private readonly OneHostFixture _host;

    public LinuxGuestTests(OneHostFixture host) => _host = host;

    // With the scenarios below both kernels come up with 1, 2 and 4 vCPUs: cloud 2 under disk and net, 4 under clock; generic 1 and 2 under
    // power, 2 under save.
    [TestbedTheory]
    [InlineData("cloud", "1", "256M")]
    [InlineData("generic", "4", "256M")]
    [InlineData("cloud", "8", "5G")]
    [InlineData("vmlinux", "2", "256M")]
    public void Kernel_ReachesItsShellAndPowersOff(string kernel, string cpus, string memory) => Run(180, "boot", kernel, cpus, memory);

    [TestbedFact]
    public void Panic_IsReported() => Run(120, "panic", "cloud");

    [TestbedFact]
    public void Power_ButtonRebootAndPowerOffWork() => Run(200, "power", "generic");

    [TestbedFact]
    public void Disk_KeepsWhatWasFlushed_WhenTheProcessIsKilled() => Run(240, "disk", "cloud");

    [TestbedFact]
    public void Guest_HasBaselineCpuConsoleAndBalloon() => Run(240, "guest", "cloud");

    [TestbedFact]
    public void Clock_FollowsTheHosts() => Run(150, "clock", "cloud");

    [TestbedFact]
    public void Network_CarriesFilesBothWays() => Run(150, "net", "cloud");

    [TestbedFact]
    public void DisksAndCards_AreEachInTheirPlace() => Run(200, "devices", "cloud");

    [TestbedFact]
    public void BlockDevices_AreDisks() => Run(300, "loop", "cloud");

    [TestbedFact]
    public void Survivor_IsAnnouncedToTheNetwork() => Run(150, "announce");

    [TestbedFact]
    public void Save_RestoresInTheMiddleOfDiskLoad() => Run(400, "save", "generic");

    [TestbedFact]
    public void Pair_EndsWithTheReason_WhenTheSecondarysDiskIsFull() => Run(200, "full");

    private void Run(int seconds, string name, params string[] arguments) =>
        Assert.Contains($"{name} ok", _host.Scenario(TimeSpan.FromSeconds(seconds), name, arguments), StringComparison.Ordinal);
}
