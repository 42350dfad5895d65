namespace Kvm.Colo.SystemTests.Host;

/// <summary>Entry of the process that holds one machine for a test: <see cref="GuestHost"/> serves it over standard input and output.</summary>
internal static class Program
{
    private static int Main()
    {
        using GuestHost host = new();
        return host.Serve();
    }
}
