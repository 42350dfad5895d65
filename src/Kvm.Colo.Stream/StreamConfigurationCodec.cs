using System.Text;

namespace Kvm.Colo.Stream;

/// <summary>Wire form of <see cref="StreamConfiguration"/>: <c>07 be32 n name {05 u8 n name be32 version fields}</c>. The
/// colo-vm subsection is the last one and ends the configuration; without it (a QEMU source) the first byte that is not 05
/// does, so one byte beyond must be visible.</summary>
internal static class StreamConfigurationCodec
{
    private const uint SubsectionVersion = 1;

    public static void Write(ChannelBuffer buffer, StreamConfiguration configuration)
    {
        WireName.ThrowIfIllegal(configuration.MachineType);
        buffer.WriteU8((byte)ElementKind.Configuration);
        buffer.WriteU32((uint)configuration.MachineType.Length);
        buffer.WriteAscii(configuration.MachineType);
        if (configuration.Uuid is { } uuid)
        {
            BeginSubsection(buffer, StreamConfiguration.UuidSection, SubsectionVersion);
            Span<byte> bytes = stackalloc byte[16];
            uuid.TryWriteBytes(bytes, bigEndian: true, out _);
            buffer.WriteBytes(bytes);
        }

        if (configuration.Colo is { } colo)
        {
            BeginSubsection(buffer, StreamConfiguration.ColoSection, ColoConfiguration.Version);
            buffer.WriteU32((uint)colo.RequestedFeatures);
            buffer.WriteU32((uint)colo.OfferedFeatures);
            buffer.WriteU128(colo.SeedPart);
            buffer.WriteU32(colo.PageSizeBytes);
            buffer.WriteU64(colo.RamSizeBytes);
            buffer.WriteU32(colo.VcpuCount);
        }
    }

    /// <summary>Reads element 0x07 including its kind byte. Subsections that QEMU knows are understood, each at most once;
    /// any other is Malformed because a subsection carries no length.</summary>
    public static FrameStatus TryRead(ReadOnlySpan<byte> source, out StreamConfiguration? configuration, out int consumed)
    {
        configuration = null;
        consumed = 0;
        var cursor = new StreamCursor(source);
        cursor.Require(cursor.ReadU8() == (byte)ElementKind.Configuration);
        uint length = cursor.ReadU32();
        cursor.Require(length is > 0 and <= StreamConfiguration.MaxMachineTypeBytes);
        ReadOnlySpan<byte> machineType = cursor.ReadBytes((int)length);
        cursor.Require(WireName.IsLegal(machineType));
        if (cursor.Failed)
            return cursor.Status;

        var result = new StreamConfiguration { MachineType = Encoding.ASCII.GetString(machineType) };
        FrameStatus status = ReadSubsections(ref cursor, ref result);
        if (status != FrameStatus.Ok)
            return status;
        configuration = result;
        consumed = cursor.Position;
        return FrameStatus.Ok;
    }

    private static FrameStatus ReadSubsections(scoped ref StreamCursor cursor, ref StreamConfiguration result)
    {
        while (result.Colo is null)
        {
            if (!cursor.TryPeek(out byte next))
                return FrameStatus.NeedMoreData;
            if (next != (byte)ElementKind.Subsection)
                return FrameStatus.Ok;
            cursor.ReadU8();
            ReadOnlySpan<byte> name = cursor.ReadName();
            uint version = cursor.ReadU32();
            cursor.Require(version == SubsectionVersion);
            if (!cursor.Failed)
                ReadSubsection(ref cursor, name, ref result);
            if (cursor.Failed)
                return cursor.Status;
        }

        return FrameStatus.Ok;
    }

    private static void ReadSubsection(scoped ref StreamCursor cursor, ReadOnlySpan<byte> name, ref StreamConfiguration result)
    {
        if (WireName.Matches(name, StreamConfiguration.UuidSection) && result.Uuid is null)
        {
            ReadOnlySpan<byte> bytes = cursor.ReadBytes(16);
            if (!cursor.Failed)
                result = result with { Uuid = new Guid(bytes, bigEndian: true) };
        }
        else if (WireName.Matches(name, StreamConfiguration.TargetPageBitsSection) && result.TargetPageBits is null)
        {
            uint bits = cursor.ReadU32();
            cursor.Require(bits is >= 10 and <= 30);
            result = result with { TargetPageBits = bits };
        }
        else if (WireName.Matches(name, StreamConfiguration.CapabilitiesSection) && result.Capabilities.Count == 0)
        {
            ReadCapabilities(ref cursor, ref result);
        }
        else if (WireName.Matches(name, StreamConfiguration.ColoSection))
        {
            ReadColo(ref cursor, ref result);
        }
        else
        {
            cursor.Reject();
        }
    }

    private static void ReadCapabilities(scoped ref StreamCursor cursor, ref StreamConfiguration result)
    {
        uint count = cursor.ReadU32();
        cursor.Require(count is > 0 and <= StreamConfiguration.MaxCapabilities);
        List<string> capabilities = [];
        for (uint index = 0; index < count && !cursor.Failed; index++)
            capabilities.Add(Encoding.ASCII.GetString(cursor.ReadName()));
        result = result with { Capabilities = capabilities };
    }

    private static void ReadColo(scoped ref StreamCursor cursor, ref StreamConfiguration result)
    {
        var colo = new ColoConfiguration(
            (ColoFeatures)cursor.ReadU32(),
            (ColoFeatures)cursor.ReadU32(),
            cursor.ReadU128(),
            cursor.ReadU32(),
            cursor.ReadU64(),
            cursor.ReadU32());
        cursor.Require(colo.Validate() is null);
        if (!cursor.Failed)
            result = result with { Colo = colo };
    }

    private static void BeginSubsection(ChannelBuffer buffer, string name, uint version)
    {
        buffer.WriteU8((byte)ElementKind.Subsection);
        buffer.WriteName(name);
        buffer.WriteU32(version);
    }
}
