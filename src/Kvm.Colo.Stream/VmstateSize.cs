using System.Buffers.Binary;

namespace Kvm.Colo.Stream;

/// <summary>Payload of <see cref="ColoMessage.VmstateSize"/>: be64 bytes of the device blob that follows.</summary>
internal static class VmstateSize
{
    public const int SizeBytes = 8;
    public const int DefaultLimitBytes = ChannelBuffer.DefaultMaximumBytes;

    public static void Write(Span<byte> destination, int blobBytes) =>
        BinaryPrimitives.WriteUInt64BigEndian(destination, (ulong)blobBytes);

    /// <summary>An empty blob or one above <paramref name="limitBytes"/> is Malformed: no memory is taken for it.</summary>
    public static FrameStatus TryRead(ReadOnlySpan<byte> source, int limitBytes, out int blobBytes)
    {
        blobBytes = 0;
        if (source.Length < SizeBytes)
            return FrameStatus.NeedMoreData;
        ulong size = BinaryPrimitives.ReadUInt64BigEndian(source);
        if (size == 0 || size > (ulong)limitBytes)
            return FrameStatus.Malformed;
        blobBytes = (int)size;
        return FrameStatus.Ok;
    }
}
