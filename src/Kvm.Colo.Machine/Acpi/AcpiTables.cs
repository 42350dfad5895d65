using System.Buffers.Binary;
using Kvm.Colo.Devices.Acpi;
using Kvm.Colo.Machine.Loaders;
using Kvm.Colo.Memory;

namespace Kvm.Colo.Machine.Acpi;

/// <summary>The tables of a hardware-reduced ACPI machine: RSDP, XSDT, FADT, MADT and DSDT (ACPI 6.5, chapter 5).</summary>
internal static class AcpiTables
{
    private const int RsdpBytes = 36;
    private const int FadtBytes = 276;
    private const int Alignment = 16;
    private const ushort BootArchNoVga = 1 << 2;
    private const ushort BootArchNoCmosRtc = 1 << 5;
    private const uint FadtWbinvd = 1 << 0;
    private const uint FadtC1 = 1 << 2;
    private const uint FadtPowerButtonIsDevice = 1 << 4;
    private const uint FadtSleepButtonIsDevice = 1 << 5;
    private const uint FadtResetRegister = 1 << 10;
    private const uint FadtHardwareReduced = 1 << 20;

    /// <summary>Writes the tables into the firmware area and returns the address of the RSDP.</summary>
    /// <exception cref="ArgumentException">They describe too much for that area.</exception>
    public static ulong Install(AcpiConfig config, GuestMemory memory)
    {
        foreach ((ulong address, byte[] bytes) in Build(config))
        {
            if (!memory.TryWrite(new GuestPhysicalAddress(address), bytes))
                throw new ArgumentException($"the ACPI table at 0x{address:x} lies outside the guest's RAM", nameof(memory));
        }

        return BootLayout.Rsdp;
    }

    /// <summary>All tables with their addresses, the RSDP first.</summary>
    public static IReadOnlyList<(ulong Address, byte[] Bytes)> Build(AcpiConfig config)
    {
        List<(ulong Address, byte[] Bytes)> tables = [];
        ulong next = BootLayout.AcpiTables;
        ulong dsdt = Add(new AcpiTable("DSDT", 2, AcpiTable.HeaderBytes), Dsdt.Build(config));
        ulong fadt = Add(Fadt(config, dsdt), []);
        ulong madt = Add(new AcpiTable("APIC", 5, AcpiTable.HeaderBytes), MadtBody(config));
        byte[] pointers = [.. BitConverter.GetBytes(fadt), .. BitConverter.GetBytes(madt)];
        ulong xsdt = Add(new AcpiTable("XSDT", 1, AcpiTable.HeaderBytes), pointers);
        if (next > BootLayout.VmGeneration)
            throw new ArgumentException($"the ACPI tables end at 0x{next:x}, beyond the firmware area", nameof(config));
        tables.Insert(0, (BootLayout.Rsdp, Rsdp(xsdt)));
        return tables;

        ulong Add(AcpiTable table, byte[] body)
        {
            ulong address = next;
            byte[] bytes = body.Length == 0 ? table.Finish() : table.FinishWith(body);
            tables.Add((address, bytes));
            next = (next + (ulong)bytes.Length + Alignment - 1) & ~(Alignment - 1ul);
            return address;
        }
    }

    private static byte[] Rsdp(ulong xsdt)
    {
        byte[] rsdp = new byte[RsdpBytes];
        "RSD PTR "u8.CopyTo(rsdp);
        AcpiTable.OemId.CopyTo(rsdp.AsSpan(9));
        rsdp[15] = 2;
        BinaryPrimitives.WriteUInt32LittleEndian(rsdp.AsSpan(20), RsdpBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(rsdp.AsSpan(24), xsdt);
        rsdp[8] = AcpiTable.Checksum(rsdp.AsSpan(0, 20));
        rsdp[32] = AcpiTable.Checksum(rsdp);
        return rsdp;
    }

    private static AcpiTable Fadt(AcpiConfig config, ulong dsdt)
    {
        uint flags = FadtHardwareReduced | FadtWbinvd | FadtC1 | FadtPowerButtonIsDevice | FadtSleepButtonIsDevice;
        ushort bootArch = (ushort)(BootArchNoVga | (config.HasRtc ? 0 : BootArchNoCmosRtc));
        AcpiTable fadt = new AcpiTable("FACP", 6, FadtBytes)
            .Put32(40, (uint)dsdt)
            .Put16(109, bootArch)
            .Put8(131, 5)
            .Put64(140, dsdt)
            .Put(268, "COLO-VM\0"u8);
        if (config.Power is not null)
        {
            flags |= FadtResetRegister;
            fadt.PutPort(116, (ushort)(config.Power.BasePort + AcpiPowerDevice.ResetOffset))
                .Put8(128, AcpiPowerDevice.ResetValue)
                .PutPort(244, (ushort)(config.Power.BasePort + AcpiPowerDevice.SleepControlOffset))
                .PutPort(256, (ushort)(config.Power.BasePort + AcpiPowerDevice.SleepStatusOffset));
        }

        return fadt.Put32(112, flags);
    }

    // Flags 0: no 8259 is there for the guest, so nothing but these entries tells it of processors and pins.
    private static byte[] MadtBody(AcpiConfig config)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(config.VcpuCount, 1, nameof(config));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(config.VcpuCount, AcpiConfig.MaxVcpus, nameof(config));
        byte[] body = new byte[8 + (config.VcpuCount * 8) + 12];
        BinaryPrimitives.WriteUInt32LittleEndian(body, config.LocalApicAddress);
        Span<byte> rest = body.AsSpan(8);
        for (int vcpu = 0; vcpu < config.VcpuCount; vcpu++)
        {
            ((ReadOnlySpan<byte>)[0, 8, (byte)vcpu, (byte)vcpu, 1, 0, 0, 0]).CopyTo(rest);
            rest = rest[8..];
        }

        ((ReadOnlySpan<byte>)[1, 12, config.IoApicId, 0]).CopyTo(rest);
        BinaryPrimitives.WriteUInt32LittleEndian(rest[4..], config.IoApicAddress);
        return body;
    }
}
