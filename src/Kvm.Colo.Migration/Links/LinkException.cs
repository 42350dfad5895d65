namespace Kvm.Colo.Migration.Links;

/// <summary>The link to the peer failed; the message says how, for a person.</summary>
internal sealed class LinkException : IOException
{
    public LinkException(string message)
        : base(message)
    {
    }

    public LinkException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>Whether the peer was silent for too long, rather than gone.</summary>
    public bool IsTimeout { get; init; }

    /// <summary>Whether the peer said itself why it ends the session.</summary>
    public bool IsRefusal { get; init; }
}
