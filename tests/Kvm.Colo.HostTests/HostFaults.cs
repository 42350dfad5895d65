namespace Kvm.Colo.HostTests;

/// <summary>A fault of an emulated host is told, and what it hit is done again on a new host, a few times.</summary>
internal static class HostFaults
{
    // On a host with two CPUs about one scenario in eight met one, on hosts with one CPU far fewer do.
    private const int MaxReruns = 4;

    private static readonly Lock s_reporting = new();

    // scripts/test prints it: a venue that fails must not go unseen.
    private static readonly string s_report = Path.Combine(Testbed.Root, "out", "test-results", "host-faults.log");

    /// <summary>Runs what boots hosts of its own or is given new ones by <paramref name="renew"/>.</summary>
    public static string Outlive(Func<string> run, Action renew)
    {
        for (int faults = 0; ; faults++)
        {
            try
            {
                return run();
            }
            catch (HostFaultException fault) when (faults < MaxReruns)
            {
                lock (s_reporting)
                {
                    Directory.CreateDirectory(Path.GetDirectoryName(s_report)!);
                    File.AppendAllText(s_report, fault.Message + "\n");
                }

                renew();
            }
        }
    }
}
