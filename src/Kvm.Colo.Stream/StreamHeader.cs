namespace Kvm.Colo.Stream;

/// <summary>The eight bytes every migration stream begins with: be32 'QEVM', be32 version 3.</summary>
internal static class StreamHeader
{
    public const uint Magic = 0x5145_564D;
    public const uint Version = 3;
    public const int SizeBytes = 8;

    public static void Write(ChannelBuffer buffer)
    {
        buffer.WriteU32(Magic);
        buffer.WriteU32(Version);
    }

    public static FrameStatus TryRead(ReadOnlySpan<byte> source, out int consumed)
    {
        var cursor = new StreamCursor(source);
        cursor.Require(cursor.ReadU32() == Magic);
        cursor.Require(cursor.ReadU32() == Version);
        consumed = cursor.Failed ? 0 : cursor.Position;
        return cursor.Status;
    }
}
