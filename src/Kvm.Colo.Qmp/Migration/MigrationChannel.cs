namespace Kvm.Colo.Qmp.Migration;

/// <summary>QAPI <c>MigrationChannel</c>.</summary>
internal sealed record MigrationChannel(MigrationChannelKind Kind, MigrationAddress Address);

/// <summary>QAPI <c>MigrationAddress</c>, as the URI that says the same; an exec's argument vector has no such form.</summary>
internal sealed record MigrationAddress(string Uri, IReadOnlyList<string>? ExecArguments);

/// <summary>QAPI <c>MigrationChannelType</c>.</summary>
internal enum MigrationChannelKind
{
    Main,
    Cpr,
}

/// <summary>QAPI <c>MigrationAddressType</c>.</summary>
internal enum MigrationTransport
{
    Socket,
    Exec,
    Rdma,
    File,
}
