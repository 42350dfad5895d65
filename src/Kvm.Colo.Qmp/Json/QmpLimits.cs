namespace Kvm.Colo.Qmp.Json;

/// <summary>How much one client may ask a monitor to hold.</summary>
internal sealed record QmpLimits
{
    public static QmpLimits Default { get; } = new();

    /// <summary>Bytes of one request without its white space.</summary>
    public int MaxMessageBytes { get; init; } = 1 << 20;

    /// <summary>Strings, numbers, keywords and punctuation marks of one request.</summary>
    public int MaxTokens { get; init; } = 128 * 1024;

    /// <summary>Braces and brackets open at once, as in QEMU.</summary>
    public int MaxDepth { get; init; } = 1024;
}
