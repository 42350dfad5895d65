using Kvm.Colo.Kvm;

namespace Kvm.Colo.TestKit;

/// <summary>What this host can test, asked once; each reason is null when the tests can run.</summary>
internal static class KvmHost
{
    private static readonly Lazy<(string? Kvm, string? FullKvm)> s_reasons = new(Probe);

    /// <summary>Why tests that need any KVM are skipped.</summary>
    public static string? SkipReason => s_reasons.Value.Kvm;

    /// <summary>Why tests that need a KVM on VMX or SVM are skipped.</summary>
    public static string? FullKvmSkipReason => s_reasons.Value.FullKvm;

    private static (string? Kvm, string? FullKvm) Probe()
    {
        try
        {
            using KvmSystem system = KvmSystem.Open();
            return (null, system.IsSoftwareKvm ? "this host's KVM works without VMX or SVM; run it with scripts/testbed" : null);
        }
        catch (KvmUnavailableException e)
        {
            return (e.Message, e.Message);
        }
    }
}
