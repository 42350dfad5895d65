using System.Text;

namespace Kvm.Colo.Stream;

/// <summary>Frame of <see cref="ColoMessage.Refusal"/>: message word, be16 length, why the sender will not have the session, in
/// printable ASCII.</summary>
internal static class Refusal
{
    public const int MaxTextBytes = 512;
    public const int HeadBytes = ColoMessageCodec.SizeBytes + sizeof(ushort);

    /// <summary>Writes what of the text is printable, cut to the limit.</summary>
    public static void Write(ChannelBuffer buffer, string text)
    {
        string printable = string.Concat(text.Select(static c => c is >= ' ' and <= '~' ? c : '?'));
        if (printable.Length > MaxTextBytes)
            printable = printable[..MaxTextBytes];
        buffer.WriteU32((uint)ColoMessage.Refusal);
        buffer.WriteU16((ushort)printable.Length);
        buffer.WriteAscii(printable);
    }

    /// <summary>Reads the whole frame.</summary>
    public static FrameStatus TryRead(ReadOnlySpan<byte> source, out string text, out int consumed)
    {
        text = "";
        consumed = 0;
        var cursor = new StreamCursor(source);
        cursor.Require(cursor.ReadU32() == (uint)ColoMessage.Refusal);
        int length = cursor.ReadU16();
        cursor.Require(length <= MaxTextBytes);
        ReadOnlySpan<byte> bytes = cursor.ReadBytes(length);
        cursor.Require(!bytes.ContainsAnyExceptInRange((byte)' ', (byte)'~'));
        if (cursor.Failed)
            return cursor.Status;
        text = Encoding.ASCII.GetString(bytes);
        consumed = cursor.Position;
        return FrameStatus.Ok;
    }
}
