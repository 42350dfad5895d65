using Kvm.Colo.Cli.Options;
using Kvm.Colo.Machine;
using Xunit;

namespace Kvm.Colo.Cli.Tests;

public class DeviceOptionsTests
{
    public static TheoryData<string> WrongDisks =>
    [
        "", "id=a", "file=", "file=a,format=qcow2", "file=a,readonly=yes", "file=a,color=red", "file=a,file=b", "a.img",
        "file=a,id=", "file=a,id=a b", "file=a,id=näh", "file=a,id=123456789012345678901", "file=a,id=../x",
    ];

    public static TheoryData<string> WrongNets =>
    [
        "", "user", "kind=user", "tap,mac=1", "tap,mac=01:00:00:00:00:01", "tap,mac=00:00:00:00:00:00", "tap,id=a/b", "ifname=x",
    ];

    [Fact]
    public void Read_GivesDevicesInTheirOrder_WithIds()
    {
        (IReadOnlyList<DiskConfig> disks, IReadOnlyList<NetConfig> nets) = DeviceOptions.Read(
            ["file=/a", "file=/b,id=data,readonly=on,format=raw"], ["tap", "tap,ifname=t1,mac=52:54:00:12:34:56,id=lan"], "name");

        Assert.Equal([new DiskConfig("/a", "disk0"), new DiskConfig("/b", "data", IsReadOnly: true)], disks);
        Assert.Equal(["net0", "lan"], nets.Select(static net => net.Id));
        Assert.Equal([null, "t1"], nets.Select(static net => net.InterfaceName));
        Assert.Equal("52:54:00:12:34:56", nets[1].Address.ToString());
    }

    // Both hosts of a pair must arrive at the same address, two machines of one network must not.
    [Fact]
    public void Address_FollowsFromTheNameAndTheId()
    {
        NetConfig card = Card("vm");

        Assert.Equal(card, Card("vm"));
        Assert.NotEqual(card, Card("other"));
        Assert.NotEqual(card, DeviceOptions.Read([], ["tap,id=lan"], "vm").Nets[0] with { Id = card.Id });
    }

    [Theory]
    [MemberData(nameof(WrongDisks))]
    public void Read_RefusesADisk_WithOneLine(string text) => AssertRefused([text], []);

    [Theory]
    [MemberData(nameof(WrongNets))]
    public void Read_RefusesACard_WithOneLine(string text) => AssertRefused([], [text]);

    [Fact]
    public void Read_RefusesTheSameIdTwice()
    {
        AssertRefused(["file=a,id=x", "file=b,id=x"], []);
        AssertRefused(["file=a,id=x"], ["tap,id=x"]);
        AssertRefused(["file=a", "file=b,id=disk0"], []);
    }

    [Fact]
    public void Read_TakesAsManyAsTheMachineHasRoomFor()
    {
        string[] most = [.. Enumerable.Range(0, MachineConfig.MaxDisksAndNets - 1).Select(static i => $"file=/{i}")];

        Assert.Equal(most.Length, DeviceOptions.Read(most, ["tap"], null).Disks.Count);
        AssertRefused([.. most, "file=/one-more"], ["tap"]);
    }

    private static NetConfig Card(string name) => DeviceOptions.Read([], ["tap"], name).Nets[0];

    private static void AssertRefused(string[] disks, string[] nets) =>
        Assert.DoesNotContain('\n', Assert.Throws<UsageException>(() => DeviceOptions.Read(disks, nets, null)).Message);
}
