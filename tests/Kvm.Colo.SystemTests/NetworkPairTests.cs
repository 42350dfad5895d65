using System.Net;
using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Kvm.Colo.Net;
using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.SystemTests;

/// <summary>A guest that answers on the network (images/guests/net.c), protected and lost: whoever talks to it goes on talking to its survivor.</summary>
[Trait("Category", "RequiresKvm")]
public class NetworkPairTests
{
    private const int Exchanges = 200;
    private const int MaxLost = 10;
    private const string Ready = "net start";
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);
    private static readonly IPAddress s_guest = new([10, 8, 0, 2]);

    [KvmTapFact]
    public void Guest_AnswersEveryDatagram() => TapNamespace.Run(static () =>
    {
        using TestMachine vm = new("net.elf", "", adjust: static config => config with { Nets = [Card("colotap0")] });
        Wire("colotap0");
        vm.Machine.Start();
        vm.Console.WaitFor(Ready);
        using EchoClient client = new(s_guest);
        for (int i = 0; i < Exchanges; i++)
            Assert.True(client.TryExchange(sizeBytes: 8 + (i * 7), s_deadline), $"datagram {i}");
    });

    [KvmTapFact]
    public void ProtectedGuest_AnswersAndItsSurvivorGoesOn() => TapNamespace.Run(static () =>
    {
        int taps = 0;
        using TestPair pair = new("net.elf", "", checkpointDelayMs: 20, adjust: config => config with { Nets = [Card($"colotap{taps++}")] });
        Wire("colotap0", "colotap1");
        pair.Protect();
        pair.Primary.Console.WaitFor(Ready);
        using EchoClient client = new(s_guest);
        for (int i = 0; i < Exchanges; i++)
            Assert.True(client.TryExchange(sizeBytes: 8 + i, s_deadline), $"datagram {i}");
        Assert.True(pair.StateDifference is null, pair.StateDifference);

        // For everybody but itself the primary's host has died.
        TapNamespace.Ip("link", "set", "colotap0", "down");
        pair.Primary.Migration.Current!.Yank();
        pair.Secondary.Recorder.WaitFor("COLO_EXIT Secondary Error");
        pair.Secondary.Migration.LostHeartbeat();
        pair.Secondary.Recorder.WaitFor($"MIGRATION {MigrationStatus.Completed}");

        // Until the network has found it; from then on none is lost.
        while (!client.TryExchange(sizeBytes: 64, s_soon))
            Assert.True(client.Number < Exchanges + MaxLost, "the survivor does not answer");
        for (int i = 0; i < Exchanges; i++)
            Assert.True(client.TryExchange(sizeBytes: 64, s_deadline), $"datagram {i} to the survivor");
    });

    private static NetConfig Card(string tap) => new("net0", tap, MacAddress.Derive("net0"));

    private static void Wire(params string[] taps)
    {
        TapNamespace.Ip("link", "add", "colobr0", "type", "bridge");
        TapNamespace.Ip("addr", "add", "10.8.0.1/24", "dev", "colobr0");
        foreach (string tap in taps)
            TapNamespace.Ip("link", "set", tap, "master", "colobr0", "up");
        TapNamespace.Ip("link", "set", "colobr0", "up");
    }
}
