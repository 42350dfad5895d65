using System.Buffers.Binary;

namespace Kvm.Colo.Stream;

/// <summary>The be32 framing of <see cref="ColoMessage"/> and its names for trace lines.</summary>
internal static class ColoMessageCodec
{
    public const int SizeBytes = 4;

    /// <summary>First byte of every private message. No QEMU message and no stream element begins with it.</summary>
    public const byte PrivatePrefix = 0x63;

    public static void Write(Span<byte> destination, ColoMessage message) =>
        BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)message);

    /// <summary>Reads one message word; its payload, if it has one, follows at <see cref="SizeBytes"/>.</summary>
    /// <param name="source">Bytes at a message position.</param>
    /// <param name="features">What the session negotiated: a private message outside it is Malformed.</param>
    /// <param name="message">Valid when Ok.</param>
    public static FrameStatus TryRead(ReadOnlySpan<byte> source, ColoFeatures features, out ColoMessage message)
    {
        message = default;
        if (source.Length < SizeBytes)
            return FrameStatus.NeedMoreData;
        var word = (ColoMessage)BinaryPrimitives.ReadUInt32BigEndian(source);
        if (!IsLegal(word, features))
            return FrameStatus.Malformed;
        message = word;
        return FrameStatus.Ok;
    }

    public static bool IsLegal(ColoMessage message, ColoFeatures features) => message switch
    {
        <= ColoMessage.VmstateLoaded => true,
        ColoMessage.Heartbeat => (features & ColoFeatures.Heartbeat) != 0,
        ColoMessage.ConfigurationReply => (features & ColoFeatures.Negotiated) != 0,
        ColoMessage.PageHashes => (features & ColoFeatures.PageHashes) != 0,
        ColoMessage.PageVerdicts => (features & (ColoFeatures.PageHashes | ColoFeatures.Disks)) != 0,
        ColoMessage.DiskList or ColoMessage.DiskHashes or ColoMessage.DiskData or ColoMessage.DiskZeroes or ColoMessage.Refusal =>
            (features & ColoFeatures.Disks) != 0,
        ColoMessage.Cut => (features & ColoFeatures.CutNotice) != 0,
        ColoMessage.ShutdownNotice or ColoMessage.ShutdownReceived => (features & ColoFeatures.ShutdownNotice) != 0,
        _ => false,
    };

    /// <summary>QEMU's name (QAPI spelling) of the message, ours in the same manner.</summary>
    public static string Name(this ColoMessage message) => message switch
    {
        ColoMessage.CheckpointReady => "checkpoint-ready",
        ColoMessage.CheckpointRequest => "checkpoint-request",
        ColoMessage.CheckpointReply => "checkpoint-reply",
        ColoMessage.VmstateSend => "vmstate-send",
        ColoMessage.VmstateSize => "vmstate-size",
        ColoMessage.VmstateReceived => "vmstate-received",
        ColoMessage.VmstateLoaded => "vmstate-loaded",
        ColoMessage.Heartbeat => "heartbeat",
        ColoMessage.ConfigurationReply => "configuration-reply",
        ColoMessage.PageHashes => "page-hashes",
        ColoMessage.PageVerdicts => "page-verdicts",
        ColoMessage.ShutdownNotice => "shutdown-notice",
        ColoMessage.ShutdownReceived => "shutdown-received",
        ColoMessage.DiskList => "disk-list",
        ColoMessage.DiskHashes => "disk-hashes",
        ColoMessage.DiskData => "disk-data",
        ColoMessage.DiskZeroes => "disk-zeroes",
        ColoMessage.Refusal => "refusal",
        ColoMessage.Cut => "cut",
        _ => "invalid",
    };
}
