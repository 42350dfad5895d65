using Kvm.Colo.Migration.Links;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Incoming;

/// <summary>Tells a primary why this side gives the session up, so that both ends say the same.</summary>
internal static class RefusalSender
{
    /// <summary>Sends it if the link still takes it; a primary that does not hear it sees the link end.</summary>
    public static void Send(ILink link, string text, MigrationControl control)
    {
        using ChannelBuffer message = new();
        Refusal.Write(message, text);
        try
        {
            link.Send(message.WrittenSpan);
            control.OnColoSent(ColoMessage.Refusal);
        }
        catch (LinkException)
        {
            // The primary is gone: there is nobody to tell.
        }
    }
}
