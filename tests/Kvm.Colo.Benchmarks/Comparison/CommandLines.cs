using System.Globalization;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>How each contestant is started: the same machine, as small as it can be, with the same options.</summary>
internal static class CommandLines
{
    private static readonly IReadOnlyDictionary<string, string> s_none = new Dictionary<string, string>();

    public static VmmProcess Start(Tools tools, Subject subject, Cell cell, VmmFiles files, string? incoming)
    {
        IReadOnlyDictionary<string, string> environment = subject.Contestant == Contestant.QemuNoDelay
            ? new Dictionary<string, string> { ["LD_PRELOAD"] = tools.NoDelayShim }
            : s_none;
        List<string> arguments = subject.IsQemu ? Qemu(tools, cell, files, incoming) : ColoVm(tools, cell, files, incoming);
        arguments.AddRange(subject.Options);
        return new VmmProcess(subject.IsQemu ? tools.Qemu : tools.ColoVm, arguments, environment, files);
    }

    private static List<string> Qemu(Tools tools, Cell cell, VmmFiles files, string? incoming)
    {
        List<string> arguments =
        [
            "-name", "bench,debug-threads=on", "-accel", "kvm", "-M", "pc", "-cpu", cell.IsLinux ? "host" : "qemu64", "-m", Text(cell.MemoryMiB),
            "-smp", Text(cell.Cpus), "-nodefaults", "-no-user-config", "-display", "none",
            "-serial", $"unix:{files.Serial}", "-qmp", $"unix:{files.Qmp},server=on,wait=off",
            "-msg", "timestamp=on", "-D", files.Trace,
        ];
        arguments.AddRange(Boot(tools, cell, "-"));
        foreach (string name in Traces(cell))
            arguments.AddRange(["-trace", name]);
        if (incoming is not null)
            arguments.AddRange(["-incoming", incoming]);
        return arguments;
    }

    private static List<string> ColoVm(Tools tools, Cell cell, VmmFiles files, string? incoming)
    {
        List<string> arguments =
        [
            "run", "--memory", $"{cell.MemoryMiB}M", "--cpus", Text(cell.Cpus),
            "--serial", $"unix:{files.Serial}", "--qmp", $"unix:{files.Qmp}", "--trace-file", files.Trace,
        ];
        arguments.AddRange(Boot(tools, cell, "--"));
        if (cell.IsEcho)
            arguments.AddRange(["--net", $"tap,ifname={EchoNetwork.Tap(files.Name)},mac=52:54:00:0a:08:07"]);
        foreach (string name in Traces(cell))
            arguments.AddRange(["--trace", name]);
        if (incoming is not null)
            arguments.AddRange(["--secondary", incoming]);
        return arguments;
    }

    /// <summary>The guest: kernel, command line and, for Linux, the initial file system with the load in it.</summary>
    private static IEnumerable<string> Boot(Tools tools, Cell cell, string dash)
    {
        if (!cell.IsLinux)
            return [$"{dash}kernel", tools.Image(cell.Guest + ".mb"), $"{dash}append", cell.Append];
        string load = $"/load {cell.Append}".Replace(" ", "%20", StringComparison.Ordinal);
        return
        [
            $"{dash}kernel", tools.Image("linux/cloud/bzImage"), $"{dash}initrd", tools.LinuxWithLoad,
            $"{dash}append", $"console=ttyS0 quiet panic=-1 colo.run={load}",
        ];
    }

    private static string[] Traces(Cell cell) =>
        cell.End == CellEnd.Takeover ? [TraceFile.StateEvent, TraceFile.MessageEvent, TraceFile.RunStateEvent] : [TraceFile.StateEvent];

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
