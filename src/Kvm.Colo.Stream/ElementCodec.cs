using System.Buffers.Binary;

namespace Kvm.Colo.Stream;

/// <summary>Stream elements: sections, footers, commands, EOF, description; framing as in QEMU's stream version 3.</summary>
internal static class ElementCodec
{
    public const int FooterBytes = 5;
    public const int ShortSectionBytes = 5;
    public const int MaxDescriptionBytes = 4 * 1024 * 1024;

    /// <summary>SECTION_START or SECTION_FULL: <c>kind be32 id u8 n name be32 instance be32 version</c>.</summary>
    public static void WriteSection(
        ChannelBuffer buffer, ElementKind kind, uint id, ReadOnlySpan<char> name, uint instanceId, uint version)
    {
        buffer.WriteU8((byte)kind);
        buffer.WriteU32(id);
        buffer.WriteName(name);
        buffer.WriteU32(instanceId);
        buffer.WriteU32(version);
    }

    /// <summary>SECTION_PART or SECTION_END: <c>kind be32 id</c>.</summary>
    public static void WriteSection(ChannelBuffer buffer, ElementKind kind, uint id)
    {
        buffer.WriteU8((byte)kind);
        buffer.WriteU32(id);
    }

    /// <summary>SECTION_PART or SECTION_END into a caller's span of at least <see cref="ShortSectionBytes"/>.</summary>
    public static int WriteSection(Span<byte> destination, ElementKind kind, uint id)
    {
        BinaryPrimitives.WriteUInt32BigEndian(destination[1..], id);
        destination[0] = (byte)kind;
        return ShortSectionBytes;
    }

    /// <summary>Section footer <c>7e be32 id</c>.</summary>
    public static void WriteFooter(ChannelBuffer buffer, uint id) => WriteSection(buffer, ElementKind.Footer, id);

    public static int WriteFooter(Span<byte> destination, uint id) => WriteSection(destination, ElementKind.Footer, id);

    public static void WriteEof(ChannelBuffer buffer) => buffer.WriteU8((byte)ElementKind.Eof);

    /// <summary>Command <c>08 be16 number be16 length data</c>.</summary>
    public static void WriteCommand(ChannelBuffer buffer, StreamCommand command, ReadOnlySpan<byte> data)
    {
        buffer.WriteU8((byte)ElementKind.Command);
        buffer.WriteU16((ushort)command);
        buffer.WriteU16(checked((ushort)data.Length));
        buffer.WriteBytes(data);
    }

    /// <summary>Reads one element head. A private message is reported by its kind and not consumed.</summary>
    public static FrameStatus TryRead(ReadOnlySpan<byte> source, out StreamElement element, out int consumed)
    {
        element = default;
        consumed = 0;
        var cursor = new StreamCursor(source);
        var kind = (ElementKind)cursor.ReadU8();
        if (cursor.Failed)
            return cursor.Status;
        StreamElement read = default;
        switch (kind)
        {
            case ElementKind.Eof:
                read = new StreamElement { Kind = kind };
                break;
            case ElementKind.SectionStart or ElementKind.SectionFull:
                read = ReadNamedSection(ref cursor, kind);
                break;
            case ElementKind.SectionPart or ElementKind.SectionEnd:
                read = new StreamElement { Kind = kind, SectionId = cursor.ReadU32() };
                break;
            case ElementKind.Command:
                read = ReadCommand(ref cursor);
                break;
            case ElementKind.Description:
                uint length = cursor.ReadU32();
                cursor.Require(length <= MaxDescriptionBytes);
                read = new StreamElement { Kind = kind, DescriptionBytes = (int)length };
                break;
            case ElementKind.PrivateMessage:
                element = new StreamElement { Kind = kind };
                return FrameStatus.Ok;
            default:
                cursor.Reject();
                break;
        }

        if (cursor.Failed)
            return cursor.Status;
        element = read;
        consumed = cursor.Position;
        return FrameStatus.Ok;
    }

    /// <summary>Reads a footer and checks that it closes section <paramref name="id"/>.</summary>
    public static FrameStatus TryReadFooter(ReadOnlySpan<byte> source, uint id)
    {
        var cursor = new StreamCursor(source);
        cursor.Require(cursor.ReadU8() == (byte)ElementKind.Footer);
        cursor.Require(cursor.ReadU32() == id);
        return cursor.Status;
    }

    private static StreamElement ReadNamedSection(scoped ref StreamCursor cursor, ElementKind kind)
    {
        uint id = cursor.ReadU32();
        ReadOnlySpan<byte> name = cursor.ReadName();
        return new StreamElement
        {
            Kind = kind,
            SectionId = id,
            Name = name,
            InstanceId = cursor.ReadU32(),
            Version = cursor.ReadU32(),
        };
    }

    private static StreamElement ReadCommand(scoped ref StreamCursor cursor)
    {
        var command = (StreamCommand)cursor.ReadU16();
        ushort length = cursor.ReadU16();
        cursor.Require(IsLegalLength(command, length));
        return new StreamElement
        {
            Kind = ElementKind.Command,
            Command = command,
            CommandData = cursor.ReadBytes(length),
        };
    }

    private static bool IsLegalLength(StreamCommand command, int length) => command switch
    {
        StreamCommand.OpenReturnPath or StreamCommand.PostcopyListen or StreamCommand.PostcopyRun => length == 0,
        StreamCommand.EnableColo or StreamCommand.PostcopyResume or StreamCommand.SwitchoverStart => length == 0,
        StreamCommand.Ping or StreamCommand.Packaged => length == 4,
        StreamCommand.PostcopyAdvise => length is 0 or 16,
        StreamCommand.PostcopyRamDiscard or StreamCommand.ReceivedBitmap => length > 1,
        _ => false,
    };
}
