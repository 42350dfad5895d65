namespace Kvm.Colo.HostTests;

/// <summary>
/// The emulated host failed: it ended, its CPUs stopped, or its CPU lost a guest (<c>scenarios/lib.sh</c> says by what that is known).
/// </summary>
internal sealed class HostFaultException : Exception
{
    public HostFaultException(string message)
        : base(message)
    {
    }
}
