namespace Kvm.Colo.Net;

/// <summary>A network interface that cannot be used, in one line that says what to do.</summary>
internal sealed class NetOpenException(string interfaceName, string why)
    : IOException($"net '{interfaceName}': {why}")
{
    public string InterfaceName { get; } = interfaceName;
}
