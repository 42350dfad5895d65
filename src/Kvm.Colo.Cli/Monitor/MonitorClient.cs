using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Client;

namespace Kvm.Colo.Cli.Monitor;

/// <summary>Connects to a VM's monitor.</summary>
internal static class MonitorClient
{
    /// <summary>Connects and leaves negotiation.</summary>
    /// <exception cref="QmpConnectionException">Nobody listens there, or it is not a monitor.</exception>
    public static QmpClient Connect(QmpAddress address) => address.Path is null || File.Exists(address.Path)
        ? QmpClient.Connect(address)
        : throw new QmpConnectionException($"{address}: there is no such socket (is the VM running?)");
}
