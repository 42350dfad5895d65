using System.Buffers.Binary;

namespace Kvm.Colo.Stream;

/// <summary>The payload of <see cref="ColoMessage.ShutdownNotice"/>: be32 cause (QAPI ShutdownCause, by position), be32 exit status.</summary>
internal readonly record struct ShutdownNotice(uint Cause, uint ExitStatus)
{
    /// <summary>With the message word.</summary>
    public const int SizeBytes = ColoMessageCodec.SizeBytes + 8;

    /// <summary>More causes than QAPI has are malformed.</summary>
    public const uint MaxCause = 31;

    /// <summary>A process's exit status, or the debug-exit port's, which reaches 511.</summary>
    public const uint MaxExitStatus = 511;

    public void Write(Span<byte> destination)
    {
        ColoMessageCodec.Write(destination, ColoMessage.ShutdownNotice);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], Cause);
        BinaryPrimitives.WriteUInt32BigEndian(destination[8..], ExitStatus);
    }

    /// <summary>Reads the whole message, word first.</summary>
    public static FrameStatus TryRead(ReadOnlySpan<byte> source, out ShutdownNotice notice)
    {
        notice = default;
        if (source.Length < SizeBytes)
            return FrameStatus.NeedMoreData;
        uint word = BinaryPrimitives.ReadUInt32BigEndian(source);
        uint cause = BinaryPrimitives.ReadUInt32BigEndian(source[4..]);
        uint exitStatus = BinaryPrimitives.ReadUInt32BigEndian(source[8..]);
        if (word != (uint)ColoMessage.ShutdownNotice || cause > MaxCause || exitStatus > MaxExitStatus)
            return FrameStatus.Malformed;
        notice = new ShutdownNotice(cause, exitStatus);
        return FrameStatus.Ok;
    }
}
