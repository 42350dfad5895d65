using System.Globalization;
using Kvm.Colo.Devices.Virtio;
using Kvm.Colo.Devices.Virtio.Balloon;
using Kvm.Colo.Machine;
using Kvm.Colo.Migration;
using Kvm.Colo.Net;
using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.SystemTests;

/// <summary>
/// A guest that attacks its own devices: each attack costs it at most that device until a reset, which makes it a good device again.
/// </summary>
[Trait("Category", "RequiresKvm")]
public class HostileGuestTests
{
    private const int Rounds = 300;
    private const int DiskMiB = 4;
    private const string Report = " ok";
    private static readonly TimeSpan s_logInterval = TimeSpan.FromSeconds(10);

    [KvmTheory]
    [InlineData("blk", 1)]
    [InlineData("blk", 2)]
    [InlineData("rng", 1)]
    [InlineData("console", 1)]
    [InlineData("balloon", 1)]
    public void Device_OutlivesEveryAttack(string device, int seed) => Attack(device, seed);

    [KvmTapFact]
    public void NetworkCard_OutlivesEveryAttack() => TapNamespace.Run(static () => Attack("net", 1));

    [KvmTheory]
    [InlineData("blk")]
    [InlineData("rng")]
    [InlineData("console")]
    [InlineData("balloon")]
    public void Pair_StaysEqualUnderAttack_AndItsSurvivorGoesOn(string device) => AttackPair(device, WithEverything);

    [KvmTapFact]
    public void Pair_StaysEqualUnderAttackOnItsCard_AndItsSurvivorGoesOn() => TapNamespace.Run(static () => AttackPair(
        "net", static config => WithEverything(config) with { Nets = [new NetConfig("net0", InterfaceName: null, MacAddress.Derive("net0"))] }));

    private static void AttackPair(string device, Func<MachineConfig, MachineConfig> adjust)
    {
        using TestPair pair = new("hostile.elf", $"device={device} seed=3", checkpointDelayMs: 5, verifyEvery: 1, diskMiB: DiskMiB, adjust: adjust);
        pair.Protect();
        pair.WaitForEpoch(50);
        pair.Primary.Console.Said.WaitForMoreLines(30, Report, 60);
        pair.WaitForEpoch(pair.Epoch + 20);
        Assert.True(pair.StateDifference is null, pair.StateDifference);

        pair.Primary.Migration.Current!.Yank();
        pair.Secondary.Recorder.WaitFor("COLO_EXIT Secondary Error");
        pair.Secondary.Migration.LostHeartbeat();
        pair.Secondary.Recorder.WaitFor($"MIGRATION {MigrationStatus.Completed}");
        pair.Secondary.Console.Said.WaitForMoreLines(30, Report, 60);
        AssertUnbroken(pair.Secondary.Console.Text);
        Assert.All(pair.Secondary.Machine.Io.VirtioDevices, static other => Assert.Equal(0, other.UnexpectedExceptions));
    }

    private static void Attack(string device, int seed)
    {
        string folder = Directory.CreateTempSubdirectory("colo-hostile-").FullName;
        LastWords console = new();
        ListLogger log = new();
        long start = TimeProvider.System.GetTimestamp();
        using (TestMachine vm = new(
            "hostile.elf", $"device={device} seed={seed} rounds={Rounds}", logger: log,
            adjust: config => TestPair.WithDisk(WithEverything(config), Path.Combine(folder, "disk.img"), DiskMiB, seed) with
            {
                Console = console,
                Nets = device == "net" ? [new NetConfig("net0", "colotap0", MacAddress.Read([0x52, 0x54, 0, 0, 0, 1]))] : [],
            }))
        {
            if (device == "net")
                TapNamespace.Ip("link", "set", "colotap0", "up");
            vm.Machine.Start();
            Assert.Equal(1, vm.WaitForEnd(120).ExitStatus);
            AssertUnbroken(vm.Console.Text);
            Assert.Contains($"hostile end rounds {Rounds}", vm.Console.Text, StringComparison.Ordinal);
            Assert.Matches(" status [4-7c-f][0-9a-f] ok", vm.Console.Text); // NEEDS_RESET was seen
            if (device == "console")
                Assert.EndsWith($"console round {Rounds}\n", console.Text, StringComparison.Ordinal);

            foreach (VirtioDevice other in vm.Machine.Io.VirtioDevices)
            {
                bool isAttacked = other.Identity.Name.StartsWith(device == "blk" ? "disk" : device, StringComparison.Ordinal);
                Assert.Equal(0, other.UnexpectedExceptions);
                Assert.Equal(isAttacked, other.Faults.Count > 0);
                AssertLinesAreFew(log.Text, other.Identity.Name, isAttacked ? 1 : 0, TimeProvider.System.GetElapsedTime(start));
            }
        }

        Directory.Delete(folder, recursive: true);
    }

    private static MachineConfig WithEverything(MachineConfig config) => config with { Console = new LastWords(), Balloon = new VirtioBalloonConfig() };

    private static void AssertLinesAreFew(string log, string device, int atLeast, TimeSpan elapsed)
    {
        int lines = log.Split('\n').Count(line => line.Contains($"{device}: guest fault", StringComparison.Ordinal));
        Assert.InRange(lines, atLeast, 1 + (int)(elapsed / s_logInterval));
    }

    // Every round is reported, in order, and the guest found everything in order after it.
    private static void AssertUnbroken(string console)
    {
        Assert.DoesNotContain("BROKEN", console, StringComparison.Ordinal);
        Assert.DoesNotContain("TRAP", console, StringComparison.Ordinal);
        int last = 0;
        foreach (string line in console.Split("\r\n", StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Split(' ') is not ["hostile", var number, _, "status", _, "ok"])
                continue;
            int round = int.Parse(number, CultureInfo.InvariantCulture);
            Assert.True(last == 0 || round == last + 1, $"{round} after {last}:\n{console}");
            last = round;
        }

        Assert.True(last > 0, console);
    }
}
