using System.Globalization;
using Mono.Unix.Native;
using static Kvm.Colo.Cli.Check.CheckLevel;

namespace Kvm.Colo.Cli.Check;

/// <summary>Facts about the host beside KVM: CPUs, memory, devices.</summary>
internal static class HostFacts
{
    private const int CpusForPair = 2;
    private const long ScarceBytes = 512L << 20;

    public static void Add(List<CheckFact> facts)
    {
        int cpus = Environment.ProcessorCount;
        facts.Add(cpus >= CpusForPair
            ? new CheckFact("CPUs", Ok, $"{cpus}")
            : new CheckFact("CPUs", Warn, "1: vCPUs, devices and migration share it", "give this host a second CPU"));
        facts.Add(NestedPaging("/sys/module"));
        facts.Add(Memory());
        facts.Add(Tun());
        facts.Add(Userfault());
        facts.Add(new CheckFact("kernel", Ok, Read("/proc/sys/kernel/osrelease") ?? Environment.OSVersion.VersionString));
    }

    /// <summary>
    /// Whether the CPU walks the guest's page tables itself. A KVM that shadows them write-protects the guest's and sees what the guest
    /// changes there, but not what an epoch does.
    /// </summary>
    public static CheckFact NestedPaging(string modules)
    {
        foreach ((string path, string name) in ((string, string)[])[("kvm_intel/parameters/ept", "EPT"), ("kvm_amd/parameters/npt", "NPT")])
        {
            if (Read(Path.Combine(modules, path)) is "Y" or "1")
                return new CheckFact("nested paging", Ok, name);
        }

        return new CheckFact("nested paging", Warn,
            "none: KVM shadows page tables and misses those that a checkpoint changes; no secondary for a guest with an operating system",
            "use a host with EPT or NPT for pairs");
    }

    private static CheckFact Memory()
    {
        long available = MemoryValue("MemAvailable:") ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        long total = MemoryValue("MemTotal:") ?? available;
        string finding = $"{available >> 20} MiB available of {total >> 20} MiB";
        return available >= ScarceBytes
            ? new CheckFact("memory", Ok, finding)
            : new CheckFact("memory", Warn, finding, "end other programs, or give guests less RAM");
    }

    private static CheckFact Tun()
    {
        const string Path = "/dev/net/tun";
        int descriptor = Syscall.open(Path, OpenFlags.O_RDWR);
        if (descriptor >= 0)
        {
            _ = Syscall.close(descriptor);
            return new CheckFact("tap", Ok, $"{Path} opens");
        }

        return Stdlib.GetLastError() switch
        {
            Errno.ENOENT => new CheckFact("tap", Warn, $"{Path} does not exist: no guest networks", "sudo modprobe tun"),
            Errno.EACCES or Errno.EPERM => new CheckFact("tap", Warn, $"{Path}: permission denied",
                "run as root, or have an interface made for this user: ip tuntap add mode tap user NAME"),
            Errno errno => new CheckFact("tap", Warn, $"{Path}: {Stdlib.strerror(errno)}", "load the module tun"),
        };
    }

    private static CheckFact Userfault()
    {
        bool forAll = Read("/proc/sys/vm/unprivileged_userfaultfd") == "1";
        bool exists = forAll || File.Exists("/dev/userfaultfd") || File.Exists("/proc/sys/vm/unprivileged_userfaultfd");
        if (!exists)
            return new CheckFact("userfaultfd", Warn, "not in this kernel: no migration by page faults",
                "run a kernel with CONFIG_USERFAULTFD");
        return forAll || Syscall.geteuid() == 0
            ? new CheckFact("userfaultfd", Ok, "allowed")
            : new CheckFact("userfaultfd", Ok, "for faults of user code only (unprivileged)");
    }

    private static long? MemoryValue(string name)
    {
        foreach (string line in (Read("/proc/meminfo") ?? "").Split('\n'))
        {
            if (!line.StartsWith(name, StringComparison.Ordinal))
                continue;
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return words.Length > 1 && long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out long kib)
                ? kib << 10
                : null;
        }

        return null;
    }

    private static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path).TrimEnd();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
