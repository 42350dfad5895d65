using System.Net.Sockets;
using Kvm.Colo.Block;
using Kvm.Colo.Cli.Terminal;
using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Kvm;
using Kvm.Colo.Machine.Loaders;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Net;
using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Client;

namespace Kvm.Colo.Cli;

/// <summary>Turns an exception into its exit status and one line on standard error.</summary>
internal static class Failure
{
    /// <summary>Reports it and returns the exit status.</summary>
    public static int Report(Exception failure)
    {
        int status = StatusOf(failure);
        bool isExpected = status != ExitStatus.Failed || failure is QmpCommandException or IOException or KvmException
            or SocketException or TimeoutException or OutOfMemoryException or UnauthorizedAccessException;
        Messages.Line(isExpected
            ? OneLine(failure.Message)
            : $"internal error: {OneLine(failure.ToString())} (please report this)");
        return status;
    }

    /// <summary>A message on one line, whatever it was made of.</summary>
    public static string OneLine(string text) =>
        string.Join(' ', text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    private static int StatusOf(Exception failure) => failure switch
    {
        KvmUnavailableException => ExitStatus.HostCannot,
        UsageException or BootImageException or SerialBackendException or QmpListenException or LinkException
            or DiskOpenException or NetOpenException or MigrationException => ExitStatus.WrongUsage,
        _ => ExitStatus.Failed,
    };
}
