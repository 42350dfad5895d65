namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>Who is measured: QEMU as a user gets it, QEMU at its best in two ways, and colo-vm.</summary>
internal enum Contestant
{
    /// <summary>QEMU over TCP, untouched.</summary>
    QemuShipped,

    /// <summary>The same binary with TCP_NODELAY forced on its sockets.</summary>
    QemuNoDelay,

    /// <summary>QEMU over a UNIX socket.</summary>
    QemuUnix,

    /// <summary>colo-vm over TCP.</summary>
    Colo,
}

/// <summary>Names and families of contestants.</summary>
internal static class Contestants
{
    extension(Contestant contestant)
    {
        public bool IsQemu => contestant != Contestant.Colo;

        public string Label => contestant switch
        {
            Contestant.QemuShipped => "QEMU",
            Contestant.QemuNoDelay => "QEMU nodelay",
            Contestant.QemuUnix => "QEMU unix",
            _ => "colo-vm",
        };
    }
}
