using System.Buffers.Binary;
using System.Text;

namespace Kvm.Colo.Machine.Acpi;

/// <summary>Builds one system description table: header, fields at their offsets, checksum (ACPI 6.5, section 5.2.6).</summary>
internal sealed class AcpiTable
{
    public const int HeaderBytes = 36;
    private const int ChecksumOffset = 9;
    private readonly byte[] _bytes;

    public AcpiTable(string signature, byte revision, int sizeBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sizeBytes, HeaderBytes);
        _bytes = new byte[sizeBytes];
        Put(0, Encoding.ASCII.GetBytes(signature.PadRight(4)));
        Put32(4, (uint)sizeBytes);
        _bytes[8] = revision;
        PutIdentity(_bytes);
    }

    /// <summary>OEM id, OEM table id, creator, as they stand in every table.</summary>
    public static ReadOnlySpan<byte> OemId => "COLOVM"u8;

    public AcpiTable Put(int offset, ReadOnlySpan<byte> value)
    {
        value.CopyTo(_bytes.AsSpan(offset));
        return this;
    }

    public AcpiTable Put8(int offset, byte value) => Put(offset, [value]);

    public AcpiTable Put16(int offset, ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(offset), value);
        return this;
    }

    public AcpiTable Put32(int offset, uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(offset), value);
        return this;
    }

    public AcpiTable Put64(int offset, ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(offset), value);
        return this;
    }

    /// <summary>A generic address structure for one byte-wide I/O port (section 5.2.3.2).</summary>
    public AcpiTable PutPort(int offset, ushort port) => Put(offset, [1, 8, 0, 1]).Put64(offset + 4, port);

    /// <summary>The finished table; its bytes sum to zero.</summary>
    public byte[] Finish()
    {
        _bytes[ChecksumOffset] = 0;
        _bytes[ChecksumOffset] = Checksum(_bytes);
        return _bytes;
    }

    /// <summary>The finished table with <paramref name="body"/> behind its fields.</summary>
    public byte[] FinishWith(ReadOnlySpan<byte> body)
    {
        byte[] bytes = [.. _bytes, .. body];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), (uint)bytes.Length);
        bytes[ChecksumOffset] = 0;
        bytes[ChecksumOffset] = Checksum(bytes);
        return bytes;
    }

    /// <summary>The byte that makes the sum zero.</summary>
    public static byte Checksum(ReadOnlySpan<byte> bytes)
    {
        int sum = 0;
        foreach (byte b in bytes)
            sum += b;
        return unchecked((byte)-sum);
    }

    private static void PutIdentity(byte[] bytes)
    {
        OemId.CopyTo(bytes.AsSpan(10));
        "COLOMACH"u8.CopyTo(bytes.AsSpan(16));
        bytes[24] = 1;
        "COLO"u8.CopyTo(bytes.AsSpan(28));
        bytes[32] = 1;
    }
}
