using Kvm.Colo.Qmp.Json;

namespace Kvm.Colo.Qmp;

/// <summary>What a <see cref="QmpServer"/> is and how much it lets a client cost.</summary>
internal sealed record QmpServerOptions
{
    /// <summary>The <c>qemu</c> version members of the greeting and of <c>query-version</c>: the QMP schema we follow.</summary>
    public Version ProtocolVersion { get; init; } = new(10, 2, 0);

    /// <summary>The <c>package</c> member: this product and its version.</summary>
    public string Package { get; init; } = "colo-vm";

    public QmpLimits Limits { get; init; } = QmpLimits.Default;

    /// <summary>Monitors open at once over all listeners; one more is closed without a greeting.</summary>
    public int MaxMonitors { get; init; } = 32;

    /// <summary>Requests read and not yet run, per monitor, once out-of-band execution is enabled; one before.</summary>
    public int MaxQueuedRequests { get; init; } = 8;

    /// <summary>Bytes waiting for a client; above it events are dropped and no further request is run.</summary>
    public int MaxQueuedBytes { get; init; } = 1 << 20;

    /// <summary>A client whose queue is full and that takes nothing for this long is disconnected.</summary>
    public TimeSpan StallDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For the TLS handshake, and for the last bytes when the server ends.</summary>
    public TimeSpan HandshakeDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long <see cref="QmpServer.Dispose"/> lets a command finish and its reply leave.</summary>
    public TimeSpan FlushDeadline { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Time between two events of a rate-limited kind.</summary>
    public TimeSpan EventInterval { get; init; } = TimeSpan.FromSeconds(1);

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Takes one line about a monitor: connected, gone, refused, a handler that failed. Any thread.</summary>
    public Action<string>? Log { get; init; }
}
