namespace Kvm.Colo.Stream;

/// <summary>What begins at the next byte of the forward stream.</summary>
internal enum ForwardItem
{
    /// <summary>A <see cref="ColoMessage"/> word, QEMU's or ours.</summary>
    Message,

    /// <summary>A stream element for <see cref="ElementCodec"/>.</summary>
    Element,

    /// <summary>Nothing that may stand here.</summary>
    Illegal,
}
