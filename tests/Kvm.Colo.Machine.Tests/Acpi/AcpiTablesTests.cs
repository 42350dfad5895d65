using System.Diagnostics;
using System.Text;
using Kvm.Colo.Devices.Acpi;
using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Machine.Acpi;
using Kvm.Colo.Memory;
using Xunit;

namespace Kvm.Colo.Machine.Tests.Acpi;

public class AcpiTablesTests
{
    private static readonly string[] s_expectedSource =
    [
        "Name (\\_S5",
        "Device (COM1)",
        "\"LNRO0005\"",
        "Device (GED)",
        "\"ACPI0013\"",
        "Method (_EVT, 1, Serialized)",
        "Notify (\\_SB.PWRB, 0x80)",
        "Device (RTC)",
        "OperationRegion (EREG, SystemIO, 0x0604, One)",
        "Name (_HID, \"QEMU0001\"",
        "0x0505,             // Range Minimum",
        "Name (_CID, \"VM_Gen_Counter\")",
        "0x000FE000",
        "Notify (\\_SB.VGEN, 0x80)",
    ];

    private static readonly AcpiConfig s_config = new()
    {
        VcpuCount = 3,
        SerialPorts = [new Serial16550Config()],
        VirtioDevices = [new AcpiVirtioDevice(0xC000_1000, 0x1000, 5), new AcpiVirtioDevice(0xC000_2000, 0x1000, 6)],
        Power = new AcpiPowerConfig(),
        HasRtc = true,
        PanicPort = 0x505,
        GenerationAddress = 0xFE000,
    };

    [Fact]
    public void EveryTable_SumsToZero_AndLiesInTheFirmwareArea()
    {
        ulong previousEnd = 0;
        foreach ((ulong address, byte[] bytes) in AcpiTables.Build(s_config))
        {
            Assert.Equal(0, Sum(bytes));
            Assert.Equal(0ul, address % 16);
            Assert.InRange(address, Math.Max(previousEnd, 0xE0000), 0x10_0000ul - (ulong)bytes.Length);
            previousEnd = address + (ulong)bytes.Length;
        }
    }

    [Fact]
    public void Rsdp_LeadsToEveryTable()
    {
        byte[] rsdp = Table("RSD PTR ");
        Assert.Equal(36, rsdp.Length);
        Assert.Equal(0, Sum(rsdp.AsSpan(0, 20)));
        Assert.Equal(2, rsdp[15]);
        Assert.Equal(0u, BitConverter.ToUInt32(rsdp, 16));
        byte[] xsdt = At(BitConverter.ToUInt64(rsdp, 24));
        Assert.Equal("XSDT", Signature(xsdt));
        Assert.Equal(36 + 16, xsdt.Length);
        byte[] fadt = At(BitConverter.ToUInt64(xsdt, 36));
        Assert.Equal("FACP", Signature(fadt));
        Assert.Equal("APIC", Signature(At(BitConverter.ToUInt64(xsdt, 44))));
        Assert.Equal("DSDT", Signature(At(BitConverter.ToUInt64(fadt, 140))));
    }

    [Fact]
    public void Fadt_SaysHardwareReduced_AndWhereThePowerRegistersAre()
    {
        byte[] fadt = Table("FACP");
        Assert.Equal(276, fadt.Length);
        Assert.Equal((6, 5), (fadt[8], fadt[131]));
        uint flags = BitConverter.ToUInt32(fadt, 112);
        Assert.NotEqual(0u, flags & (1u << 20));
        Assert.NotEqual(0u, flags & (1u << 10));
        Assert.Equal(4, BitConverter.ToUInt16(fadt, 109));
        Assert.Equal("010800010206000000000000", Convert.ToHexStringLower(fadt.AsSpan(116, 12)));
        Assert.Equal(1, fadt[128]);
        Assert.Equal("010800010006000000000000", Convert.ToHexStringLower(fadt.AsSpan(244, 12)));
        Assert.Equal("010800010106000000000000", Convert.ToHexStringLower(fadt.AsSpan(256, 12)));
    }

    [Fact]
    public void Fadt_WithoutPowerRegistersAndRtc_SaysSo()
    {
        byte[] fadt = Find(AcpiTables.Build(new AcpiConfig { VcpuCount = 1 }), "FACP");
        Assert.Equal(0u, BitConverter.ToUInt32(fadt, 112) & (1u << 10));
        Assert.Equal(0x24, BitConverter.ToUInt16(fadt, 109));
        Assert.All(fadt[244..268], b => Assert.Equal(0, b));
    }

    [Fact]
    public void Madt_ListsProcessorsAndTheIoApic()
    {
        byte[] madt = Table("APIC");
        Assert.Equal(0xFEE0_0000u, BitConverter.ToUInt32(madt, 36));
        Assert.Equal(0u, BitConverter.ToUInt32(madt, 40));
        const string Processors = "0008000001000000" + "0008010101000000" + "0008020201000000";
        Assert.Equal(Processors + "010c00000000c0fe00000000", Convert.ToHexStringLower(madt.AsSpan(44)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(256)]
    public void Madt_RefusesImpossibleCounts(int count) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => AcpiTables.Build(new AcpiConfig { VcpuCount = count }));

    [Fact]
    public void Build_RefusesMoreThanItsAreaHolds()
    {
        AcpiVirtioDevice[] many = new AcpiVirtioDevice[4000];
        Assert.Throws<ArgumentException>(() => AcpiTables.Build(s_config with { VirtioDevices = many }));
    }

    [Fact]
    public void Install_WritesThemWhereTheyPoint()
    {
        using GuestMemory memory = GuestMemory.Create(2 << 20);
        ulong rsdp = AcpiTables.Install(s_config, memory);
        byte[] bytes = new byte[36];
        Assert.True(memory.TryRead(new GuestPhysicalAddress(rsdp), bytes));
        Assert.Equal(Table("RSD PTR "), bytes);
    }

    [FactRequiresIasl]
    public async Task Dsdt_IsWhatIaslReads()
    {
        string directory = Directory.CreateTempSubdirectory("colo-acpi").FullName;
        try
        {
            await File.WriteAllBytesAsync(Path.Combine(directory, "dsdt.aml"), Table("DSDT"));
            string output = await RunIaslAsync(directory, "-d", "dsdt.aml");
            string source = await File.ReadAllTextAsync(Path.Combine(directory, "dsdt.dsl"));
            foreach (string expected in s_expectedSource)
                Assert.Contains(expected, source, StringComparison.Ordinal);
            Assert.DoesNotContain("Error", output, StringComparison.Ordinal);
            Assert.Contains("0 Errors", await RunIaslAsync(directory, "-vs", "dsdt.dsl"), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task<string> RunIaslAsync(string directory, params string[] arguments)
    {
        ProcessStartInfo start = new(FactRequiresIaslAttribute.Find()!, arguments)
        {
            UseShellExecute = false,
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        using CancellationTokenSource deadline = new(TimeSpan.FromSeconds(30));
        Task<string> errors = process.StandardError.ReadToEndAsync(deadline.Token);
        string output = await process.StandardOutput.ReadToEndAsync(deadline.Token);
        await process.WaitForExitAsync(deadline.Token);
        Assert.Equal(0, process.ExitCode);
        return output + await errors;
    }

    private static byte Sum(ReadOnlySpan<byte> bytes)
    {
        int sum = 0;
        foreach (byte b in bytes)
            sum += b;
        return unchecked((byte)sum);
    }

    private static string Signature(byte[] table) => Encoding.ASCII.GetString(table, 0, 4);

    private static byte[] Table(string signature) => Find(AcpiTables.Build(s_config), signature);

    private static byte[] Find(IReadOnlyList<(ulong Address, byte[] Bytes)> tables, string signature)
    {
        foreach ((ulong _, byte[] bytes) in tables)
        {
            if (bytes.AsSpan().StartsWith(Encoding.ASCII.GetBytes(signature)))
                return bytes;
        }

        throw new ArgumentException($"no table {signature}", nameof(signature));
    }

    private static byte[] At(ulong address)
    {
        foreach ((ulong at, byte[] bytes) in AcpiTables.Build(s_config))
        {
            if (at == address)
                return bytes;
        }

        throw new ArgumentException($"no table at 0x{address:x}", nameof(address));
    }
}
