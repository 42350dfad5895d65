using System.Buffers.Binary;

namespace Kvm.Colo.Stream;

/// <summary>Frame of <see cref="ColoMessage.PageVerdicts"/>: message word, be32 count, one bit per asked page in the order asked,
/// least significant first, set when the secondary's page differs and must be sent; unused bits are zero.</summary>
internal static class PageHashAnswer
{
    public const int HeadBytes = ColoMessageCodec.SizeBytes + sizeof(uint);

    /// <summary>Size of the whole frame.</summary>
    public static int FrameBytes(int count) => HeadBytes + ((count + 7) / 8);

    /// <summary>Writes a frame that says "equal" for all pages; <see cref="MarkDiffers"/> changes single ones.</summary>
    public static void Write(Span<byte> destination, int count)
    {
        ColoMessageCodec.Write(destination, ColoMessage.PageVerdicts);
        BinaryPrimitives.WriteUInt32BigEndian(destination[ColoMessageCodec.SizeBytes..], (uint)count);
        destination[HeadBytes..FrameBytes(count)].Clear();
    }

    public static void MarkDiffers(Span<byte> frame, int index) => frame[HeadBytes + (index / 8)] |= (byte)(1 << (index % 8));

    public static bool Differs(ReadOnlySpan<byte> verdicts, int index) => (verdicts[index / 8] >> (index % 8) & 1) != 0;

    /// <summary>Reads the answer to a query of <paramref name="count"/> pages, including its message word.</summary>
    public static FrameStatus TryRead(ReadOnlySpan<byte> source, int count, out ReadOnlySpan<byte> verdicts)
    {
        verdicts = default;
        var cursor = new StreamCursor(source);
        cursor.Require(cursor.ReadU32() == (uint)ColoMessage.PageVerdicts);
        cursor.Require(cursor.ReadU32() == (uint)count);
        ReadOnlySpan<byte> bits = cursor.ReadBytes((count + 7) / 8);
        if (!cursor.Failed && count % 8 != 0)
            cursor.Require(bits[^1] >> (count % 8) == 0);
        if (!cursor.Failed)
            verdicts = bits;
        return cursor.Status;
    }
}
