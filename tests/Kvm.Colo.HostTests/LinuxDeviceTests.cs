using Xunit;

namespace Kvm.Colo.HostTests;

/// <summary>Disks, network cards, console and balloon under Linux.</summary>
public sealed class LinuxDeviceTests(OneHostFixture host) : IClassFixture<OneHostFixture>
{
    [TestbedFact]
    public void Disk_KeepsWhatWasFlushed_WhenTheProcessIsKilled() => host.Scenario(240, "disk", "cloud");

    [TestbedFact]
    public void Guest_HasBaselineCpuConsoleAndBalloon() => host.Scenario(240, "guest", "cloud");

    [TestbedFact]
    public void Network_CarriesFilesBothWays() => host.Scenario(150, "net", "cloud");

    [TestbedFact]
    public void DisksAndCards_AreEachInTheirPlace() => host.Scenario(200, "devices", "cloud");

    [TestbedFact]
    public void BlockDevices_AreDisks() => host.Scenario(300, "loop", "cloud");
}
