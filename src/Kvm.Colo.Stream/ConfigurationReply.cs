namespace Kvm.Colo.Stream;

/// <summary>The secondary's answer to a colo-vm configuration:
/// be32 <see cref="ColoMessage.ConfigurationReply"/>, be32 accepted features, its 16-byte seed half.</summary>
internal readonly record struct ConfigurationReply(ColoFeatures AcceptedFeatures, UInt128 SeedPart)
{
    public const int SizeBytes = ColoMessageCodec.SizeBytes + 4 + 16;

    public void Write(ChannelBuffer buffer)
    {
        buffer.WriteU32((uint)ColoMessage.ConfigurationReply);
        buffer.WriteU32((uint)AcceptedFeatures);
        buffer.WriteU128(SeedPart);
    }

    /// <summary>Reads the reply with its message word. Accepting what was not offered, or leaving out what was requested, is
    /// Malformed.</summary>
    public static FrameStatus TryRead(ReadOnlySpan<byte> source, ColoConfiguration sent, out ConfigurationReply reply)
    {
        reply = default;
        var cursor = new StreamCursor(source);
        cursor.Require(cursor.ReadU32() == (uint)ColoMessage.ConfigurationReply);
        var accepted = (ColoFeatures)cursor.ReadU32();
        UInt128 seedPart = cursor.ReadU128();
        cursor.Require((accepted & ~sent.OfferedFeatures) == 0);
        cursor.Require((sent.RequestedFeatures & ~accepted) == 0);
        if (!cursor.Failed)
            reply = new ConfigurationReply(accepted, seedPart);
        return cursor.Status;
    }

    /// <summary>What the secondary accepts: everything offered that it knows. Null when a requested feature is missing.</summary>
    public static ConfigurationReply? Answer(ColoConfiguration received, ColoFeatures supported, UInt128 seedPart)
    {
        ColoFeatures accepted = received.OfferedFeatures & supported & ColoFeatures.Known;
        return (received.RequestedFeatures & ~accepted) == 0 ? new ConfigurationReply(accepted, seedPart) : null;
    }
}
