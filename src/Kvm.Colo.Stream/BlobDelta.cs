using System.Buffers.Binary;

namespace Kvm.Colo.Stream;

/// <summary>
/// A device blob as its difference to the blob of the epoch before (feature <see cref="ColoFeatures.StateDelta"/>): be32 length of the
/// whole blob, then for each 8 KiB of it be16 n and n bytes of <see cref="PageDelta"/>, or ffff and the bytes themselves.
/// </summary>
internal static class BlobDelta
{
    public const int ChunkBytes = 8 * 1024;
    private const ushort Raw = ushort.MaxValue;

    /// <summary>Writes <paramref name="current"/> behind what <paramref name="destination"/> holds.</summary>
    public static void Encode(ReadOnlySpan<byte> previous, ReadOnlySpan<byte> current, ChannelBuffer destination)
    {
        destination.WriteU32((uint)current.Length);
        for (int at = 0; at < current.Length; at += ChunkBytes)
        {
            ReadOnlySpan<byte> chunk = current[at..Math.Min(current.Length, at + ChunkBytes)];
            int delta = -1;
            int head = destination.Reserve(sizeof(ushort));
            if (previous.Length >= at + chunk.Length)
            {
                Span<byte> room = destination.GetSpan(chunk.Length)[..chunk.Length];
                delta = PageDelta.Encode(previous.Slice(at, chunk.Length), chunk, room);
            }

            destination.PatchU16(head, delta < 0 ? Raw : (ushort)delta);
            if (delta < 0)
                destination.WriteBytes(chunk);
            else
                destination.Advance(delta);
        }
    }

    /// <summary>Restores the blob into <paramref name="destination"/>, which is emptied first. Anything but Ok: drop the epoch.</summary>
    public static FrameStatus TryDecode(ReadOnlySpan<byte> encoded, ReadOnlySpan<byte> previous, ChannelBuffer destination)
    {
        if (encoded.Length < sizeof(uint))
            return FrameStatus.Malformed;
        uint length = BinaryPrimitives.ReadUInt32BigEndian(encoded);
        if (!destination.TryReceive(length, out Memory<byte> area))
            return FrameStatus.Malformed;
        Span<byte> current = area.Span;
        encoded = encoded[sizeof(uint)..];
        for (int at = 0; at < current.Length; at += ChunkBytes)
        {
            Span<byte> chunk = current[at..Math.Min(current.Length, at + ChunkBytes)];
            if (encoded.Length < sizeof(ushort))
                return FrameStatus.Malformed;
            int bytes = BinaryPrimitives.ReadUInt16BigEndian(encoded);
            encoded = encoded[sizeof(ushort)..];
            bool isRaw = bytes == Raw;
            bytes = isRaw ? chunk.Length : bytes;
            if (encoded.Length < bytes || (!isRaw && previous.Length < at + chunk.Length))
                return FrameStatus.Malformed;
            if (isRaw)
                encoded[..bytes].CopyTo(chunk);
            else
                previous.Slice(at, chunk.Length).CopyTo(chunk);
            if (!isRaw && !PageDelta.TryApply(encoded[..bytes], chunk))
                return FrameStatus.Malformed;
            encoded = encoded[bytes..];
        }

        return encoded.IsEmpty ? FrameStatus.Ok : FrameStatus.Malformed;
    }
}
