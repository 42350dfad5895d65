namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>Where and with what was measured.</summary>
internal sealed record MachineDescription(string Processor, int Cpus, string Kernel, string Kvm, string Qemu, string Commit, string Time, double LoadAverage)
{
    public static MachineDescription Read(Tools tools)
    {
        string[] cpu = File.ReadAllLines("/proc/cpuinfo");
        string model = cpu.FirstOrDefault(static l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown";
        string flags = $" {cpu.FirstOrDefault(static l => l.StartsWith("flags", StringComparison.Ordinal))?.Split(':')[1]} ";
        string kvm = flags.Contains(" vmx ", StringComparison.Ordinal) ? "VMX"
            : flags.Contains(" svm ", StringComparison.Ordinal) ? "SVM"
            : "software (no VMX, no SVM)";
        return new MachineDescription(
            model,
            Environment.ProcessorCount,
            File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
            kvm,
            tools.QemuVersion,
            ReadCommit(),
            TimeProvider.System.GetUtcNow().ToString("u"),
            LoadGate.LoadAverage());
    }

    private static string ReadCommit()
    {
        try
        {
            return Tools.Capture("git", "describe", "--always", "--dirty");
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return "unknown"; // a tarball has no history
        }
    }
}
