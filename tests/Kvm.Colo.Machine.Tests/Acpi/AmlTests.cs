using Kvm.Colo.Machine.Acpi;
using Xunit;

namespace Kvm.Colo.Machine.Tests.Acpi;

public class AmlTests
{
    [Theory]
    [InlineData(0, "00")]
    [InlineData(1, "01")]
    [InlineData(5, "0a05")]
    [InlineData(0x3F8, "0bf803")]
    [InlineData(0xC000_0000, "0c000000c0")]
    [InlineData(0x1_0000_0000, "0e0000000001000000")]
    public void Integer_TakesTheShortestForm(ulong value, string hex) => Assert.Equal(hex, Hex(Aml.Integer(value)));

    [Theory]
    [InlineData(0, "01")]
    [InlineData(62, "3f")]
    [InlineData(63, "4104")]
    [InlineData(4093, "4fff")]
    [InlineData(4094, "810001")]
    [InlineData(1048572, "8fffff")]
    [InlineData(1048573, "c1000001")]
    public void PackageLength_CountsItself(int content, string hex) =>
        Assert.Equal(hex, Convert.ToHexStringLower(Aml.PackageLength(content)));

    [Fact]
    public void PackageLength_HasAnEnd() => Assert.Throws<ArgumentOutOfRangeException>(() => Aml.PackageLength(1 << 28));

    [Fact]
    public void EisaId_MatchesTheSpecification()
    {
        Assert.Equal("0c41d00501", Hex(Aml.EisaId("PNP0501")));
        Assert.Equal("0c41d00c0c", Hex(Aml.EisaId("PNP0C0C")));
    }

    [Theory]
    [InlineData("pnp0501")]
    [InlineData("PNP05")]
    [InlineData("PNP05G1")]
    public void EisaId_RefusesOthers(string id) => Assert.Throws<ArgumentException>(() => Aml.EisaId(id));

    [Fact]
    public void Names_ArePaddedAndPrefixed()
    {
        Assert.Equal("085c5f53355f00", Hex(Aml.Name("\\_S5", Aml.Integer(0))));
        Assert.Equal("862e5f53425f505752420a80", Hex(Aml.Notify("_SB.PWRB", 0x80)));
        Assert.Equal("862f03414141414242424243434343" + "01", Hex(Aml.Notify("AAAA.BBBB.CCCC", 1)));
    }

    [Theory]
    [InlineData("TOOLONG")]
    [InlineData("1ABC")]
    [InlineData("a")]
    public void Names_RefuseOthers(string name) => Assert.Throws<ArgumentException>(() => Aml.Name(name, Aml.Integer(0)));

    [Fact]
    public void Text_RefusesWhatIsNoAscii()
    {
        Assert.Equal("0d4c4e524f3030303500", Hex(Aml.Text("LNRO0005")));
        Assert.Throws<ArgumentException>(() => Aml.Text("é"));
        Assert.Throws<ArgumentException>(() => Aml.Text("a\0"));
    }

    [Fact]
    public void Blocks_NestWithTheirLengths()
    {
        Assert.Equal("100d5c5f53425f5b82054142435f", Hex(Aml.Scope("\\_SB", Aml.Device("ABC"))));
        Assert.Equal("1207040a05000000", Hex(Aml.Package(Aml.Integer(5), Aml.Integer(0), Aml.Integer(0), Aml.Integer(0))));
        AmlValue condition = Aml.And(Aml.Local0, Aml.Integer(1));
        Assert.Equal("a00b7b60010008585f5f5f00", Hex(Aml.If(condition, Aml.Name("X", Aml.Integer(0)))));
    }

    [Fact]
    public void Resources_HaveTheirDescriptors()
    {
        Assert.Equal("4701f803f8030108", Hex(AmlResource.Ports(0x3F8, 8).Bytes));
        Assert.Equal("86090001000000c000100000", Hex(AmlResource.Memory32(0xC000_0000, 0x1000).Bytes));
        Assert.Equal("890600030105000000", Hex(AmlResource.EdgeInterrupt(5).Bytes));
        Assert.Equal("890600010105000000", Hex(AmlResource.LevelInterrupt(5).Bytes));
        Assert.Equal("110d0a0a4701f803f80301087900", Hex(Aml.Resources(AmlResource.Ports(0x3F8, 8))));
    }

    private static string Hex(AmlValue value) => Hex(value.Bytes);

    private static string Hex(AmlTerm term) => Hex(term.Bytes);

    private static string Hex(ReadOnlyMemory<byte> bytes) => Convert.ToHexStringLower(bytes.Span);
}
