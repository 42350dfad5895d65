using System.Buffers.Binary;

namespace Kvm.Colo.Machine.Acpi;

/// <summary>One resource descriptor of a _CRS (ACPI 6.5, section 6.4).</summary>
internal readonly record struct AmlResource
{
    private AmlResource(ReadOnlyMemory<byte> bytes) => Bytes = bytes;

    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Fixed ports, decoded with 16 bits.</summary>
    public static AmlResource Ports(ushort start, byte count)
    {
        byte[] bytes = [0x47, 0x01, 0, 0, 0, 0, 0x01, count];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2), start);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4), start);
        return new AmlResource(bytes);
    }

    /// <summary>A read-write window below 4 GiB.</summary>
    public static AmlResource Memory32(uint start, uint sizeBytes)
    {
        byte[] bytes = [0x86, 9, 0, 0x01, 0, 0, 0, 0, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), start);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), sizeBytes);
        return new AmlResource(bytes);
    }

    /// <summary>A global system interrupt: consumer, edge triggered, active high, exclusive.</summary>
    public static AmlResource EdgeInterrupt(uint globalInterrupt) => Interrupt(flags: 0x03, globalInterrupt);

    /// <summary>A global system interrupt: consumer, level triggered, active high, exclusive.</summary>
    public static AmlResource LevelInterrupt(uint globalInterrupt) => Interrupt(flags: 0x01, globalInterrupt);

    private static AmlResource Interrupt(byte flags, uint globalInterrupt)
    {
        byte[] bytes = [0x89, 6, 0, flags, 1, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(5), globalInterrupt);
        return new AmlResource(bytes);
    }
}
