using System.Buffers.Binary;

namespace Kvm.Colo.Stream;

/// <summary>Return-path messages: <c>be16 type be16 length body</c>, body at most 512 bytes. They share the reverse direction
/// with COLO messages but not their framing: the return path is shut before the first <see cref="ColoMessage"/>.</summary>
internal static class ReturnPathCodec
{
    public const int HeadBytes = 4;
    public const int MaxBodyBytes = 512;
    public const int MaxMessageBytes = HeadBytes + MaxBodyBytes;

    private const int RequestBytes = sizeof(ulong) + sizeof(uint);

    /// <summary>Writes one message; <paramref name="message"/>'s fields must fit its type.</summary>
    public static void Write(ChannelBuffer buffer, ReturnPathMessage message)
    {
        buffer.WriteU16((ushort)message.Type);
        int length = buffer.Reserve(sizeof(ushort));
        int start = buffer.Length;
        switch (message.Type)
        {
            case ReturnPathType.Shut or ReturnPathType.Pong or ReturnPathType.ResumeAck:
                buffer.WriteU32(message.Value);
                break;
            case ReturnPathType.RequestPages or ReturnPathType.RequestPagesInBlock:
                buffer.WriteU64(message.Start);
                buffer.WriteU32(message.LengthBytes);
                if (message.Type == ReturnPathType.RequestPagesInBlock)
                    WriteName(buffer, message.BlockName);
                break;
            case ReturnPathType.ReceivedBitmap:
                WriteName(buffer, message.BlockName);
                break;
            case ReturnPathType.SwitchoverAck:
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(message), message.Type, "not a return-path message");
        }

        buffer.PatchU16(length, (ushort)(buffer.Length - start));
    }

    /// <summary>Reads one message. An unknown type, or a length its type does not have, is Malformed as soon as the head is
    /// there.</summary>
    public static FrameStatus TryRead(ReadOnlySpan<byte> source, out ReturnPathMessage message, out int consumed)
    {
        message = default;
        consumed = 0;
        if (source.Length < HeadBytes)
            return FrameStatus.NeedMoreData;
        var type = (ReturnPathType)BinaryPrimitives.ReadUInt16BigEndian(source);
        int length = BinaryPrimitives.ReadUInt16BigEndian(source[2..]);
        if (!IsLegalLength(type, length))
            return FrameStatus.Malformed;
        if (source.Length - HeadBytes < length)
            return FrameStatus.NeedMoreData;
        var body = new StreamCursor(source.Slice(HeadBytes, length));
        ReturnPathMessage read = ReadBody(ref body, type);
        if (body.Failed || body.Remaining != 0)
            return FrameStatus.Malformed;
        message = read;
        consumed = HeadBytes + length;
        return FrameStatus.Ok;
    }

    private static ReturnPathMessage ReadBody(scoped ref StreamCursor body, ReturnPathType type) => type switch
    {
        ReturnPathType.Shut or ReturnPathType.Pong or ReturnPathType.ResumeAck =>
            new ReturnPathMessage { Type = type, Value = body.ReadU32() },
        ReturnPathType.RequestPages =>
            new ReturnPathMessage { Type = type, Start = body.ReadU64(), LengthBytes = body.ReadU32() },
        ReturnPathType.RequestPagesInBlock =>
            new ReturnPathMessage
            {
                Type = type,
                Start = body.ReadU64(),
                LengthBytes = body.ReadU32(),
                BlockName = body.ReadName(),
            },
        ReturnPathType.ReceivedBitmap => new ReturnPathMessage { Type = type, BlockName = body.ReadName() },
        _ => new ReturnPathMessage { Type = type },
    };

    private static bool IsLegalLength(ReturnPathType type, int length) => type switch
    {
        ReturnPathType.Shut or ReturnPathType.Pong or ReturnPathType.ResumeAck => length == sizeof(uint),
        ReturnPathType.RequestPages => length == RequestBytes,
        ReturnPathType.RequestPagesInBlock => length is > RequestBytes + 1 and <= RequestBytes + 1 + WireName.MaxBytes,
        ReturnPathType.ReceivedBitmap => length is > 1 and <= 1 + WireName.MaxBytes,
        ReturnPathType.SwitchoverAck => length == 0,
        _ => false,
    };

    private static void WriteName(ChannelBuffer buffer, ReadOnlySpan<byte> name)
    {
        if (!WireName.IsLegal(name))
            throw new ArgumentException("not a legal RAM block name", nameof(name));
        buffer.WriteU8((byte)name.Length);
        buffer.WriteBytes(name);
    }
}
