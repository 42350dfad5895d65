using System.Net.Security;

namespace Kvm.Colo.Qmp.Client;

/// <summary>How a <see cref="QmpClient"/> connects and how long it waits.</summary>
internal sealed record QmpClientOptions
{
    /// <summary>For connecting, the greeting and each command without a deadline of its own.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Ask for out-of-band execution when the server offers it.</summary>
    public bool OutOfBand { get; init; }

    /// <summary>Events kept for whoever takes them; beyond it the oldest go and are counted.</summary>
    public int MaxEvents { get; init; } = 4096;

    /// <summary>Bytes of one line from the server.</summary>
    public int MaxLineBytes { get; init; } = 16 << 20;

    /// <summary>TLS with a client certificate, for a monitor off loopback; null for a plain connection.</summary>
    public SslClientAuthenticationOptions? Tls { get; init; }
}
