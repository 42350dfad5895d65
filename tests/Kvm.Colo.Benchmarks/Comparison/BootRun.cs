namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>Start of a process to the first byte on the guest's serial line, in milliseconds.</summary>
internal static class BootRun
{
    /// <summary>The ways to boot that are compared: name, program, arguments.</summary>
    public static IReadOnlyList<(string Name, string Program, string[] Arguments)> Ways(Tools tools) =>
    [
        ("QEMU pc", tools.Qemu,
            ["-accel", "kvm", "-M", "pc", "-cpu", "qemu64", "-m", "256", "-nodefaults", "-no-user-config", "-display", "none", "-kernel", tools.Image("idle.mb")]),
        ("QEMU microvm", tools.Qemu,
            ["-accel", "kvm", "-M", "microvm", "-cpu", "qemu64", "-m", "256", "-nodefaults", "-no-user-config", "-display", "none", "-kernel", tools.Image("idle.elf")]),
        ("colo-vm", tools.ColoVm, ["run", "--memory", "256M", "--kernel", tools.Image("idle.elf")]),
    ];

    public static double Measure(string program, IEnumerable<string> arguments)
    {
        string folder = Directory.CreateDirectory(Path.Combine("/dev/shm", $"colo-bench-{Guid.NewGuid():N}")).FullName;
        try
        {
            VmmFiles files = new(folder, "boot");
            bool isQemu = Path.GetFileName(program).StartsWith("qemu", StringComparison.Ordinal);
            string[] all = [.. arguments, isQemu ? "-serial" : "--serial", $"unix:{files.Serial}"];
            using VmmProcess vmm = new(program, all, new Dictionary<string, string>(), files);
            HostClock.Until(() => vmm.Serial.FirstByteUs() is not null, TimeSpan.FromSeconds(20), "the first serial byte");
            return (vmm.Serial.FirstByteUs()!.Value - vmm.SpawnedUs) / 1000;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
