namespace Kvm.Colo.Stream;

/// <summary>Tells messages from elements by one byte, so that a heartbeat or a pre-sent RAM part needs no envelope.</summary>
internal static class ForwardDemux
{
    public static ForwardItem Classify(byte first, ForwardPosition position, ColoFeatures features)
    {
        if (first == ColoMessageCodec.PrivatePrefix)
            return ForwardItem.Message;
        if (position == ForwardPosition.Element)
            return first <= (byte)ElementKind.Command ? ForwardItem.Element : ForwardItem.Illegal;
        return first switch
        {
            0 => ForwardItem.Message,
            (byte)ElementKind.SectionPart when (features & ColoFeatures.PreSend) != 0 => ForwardItem.Element,
            _ => ForwardItem.Illegal,
        };
    }
}
