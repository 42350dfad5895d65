using System.Globalization;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>How each contestant is started: the same machine, as small as it can be, with the same options.</summary>
internal static class CommandLines
{
    private static readonly IReadOnlyDictionary<string, string> s_none = new Dictionary<string, string>();

    public static VmmProcess Start(Tools tools, Contestant contestant, Cell cell, VmmFiles files, string? incoming)
    {
        IReadOnlyDictionary<string, string> environment = contestant == Contestant.QemuNoDelay
            ? new Dictionary<string, string> { ["LD_PRELOAD"] = tools.NoDelayShim }
            : s_none;
        return contestant.IsQemu
            ? new VmmProcess(tools.Qemu, Qemu(tools, cell, files, incoming), environment, files)
            : new VmmProcess(tools.ColoVm, ColoVm(tools, cell, files, incoming), environment, files);
    }

    private static List<string> Qemu(Tools tools, Cell cell, VmmFiles files, string? incoming)
    {
        List<string> arguments =
        [
            "-name", "bench,debug-threads=on", "-accel", "kvm", "-M", "pc", "-cpu", "qemu64", "-m", Text(cell.MemoryMiB),
            "-smp", Text(cell.Cpus), "-nodefaults", "-no-user-config", "-display", "none",
            "-kernel", tools.Image(cell.Guest + ".mb"), "-append", cell.Append,
            "-serial", $"unix:{files.Serial}", "-qmp", $"unix:{files.Qmp},server=on,wait=off",
            "-msg", "timestamp=on", "-D", files.Trace, "-trace", "colo_vm_state_change",
        ];
        if (cell.KillsPrimary)
            arguments.AddRange(["-trace", TraceFile.MessageEvent]);
        if (incoming is not null)
            arguments.AddRange(["-incoming", incoming]);
        return arguments;
    }

    private static List<string> ColoVm(Tools tools, Cell cell, VmmFiles files, string? incoming)
    {
        List<string> arguments =
        [
            "run", "--memory", $"{cell.MemoryMiB}M", "--cpus", Text(cell.Cpus),
            "--kernel", tools.Image(cell.Guest + ".mb"), "--append", cell.Append,
            "--serial", $"unix:{files.Serial}", "--qmp", $"unix:{files.Qmp}",
            "--trace", "colo_vm_state_change", "--trace-file", files.Trace,
        ];
        if (cell.KillsPrimary)
            arguments.AddRange(["--trace", TraceFile.MessageEvent]);
        if (incoming is not null)
            arguments.AddRange(["--secondary", incoming]);
        return arguments;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
