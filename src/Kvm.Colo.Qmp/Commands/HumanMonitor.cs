using System.Text;
using Kvm.Colo.Qmp.Hosting;

namespace Kvm.Colo.Qmp.Commands;

/// <summary>The few commands of the human monitor that tools still send; lines end in CR LF as QEMU's do.</summary>
internal static class HumanMonitor
{
    public static string Run(QmpServer server, string commandLine, int cpuIndex)
    {
        IQmpHost host = server.Host;
        string[] words = commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string topic = words is ["info", _, ..] ? words[1] : "";
        string text = topic switch
        {
            "status" => Status(host.Machine.RunState),
            "name" => host.Machine.Name ?? "",
            "uuid" => host.Machine.Uuid.ToString("D"),
            "kvm" => "kvm support: enabled",
            "version" => $"{server.Options.ProtocolVersion} ({server.Options.Package})",
            "cpus" => Cpus(host.Machine.Cpus, cpuIndex),
            "registers" => Registers(host.Machine, words, cpuIndex),
            "migrate" => Migration(host.Migration.Query()),
            "colo" => Colo(host.Colo),
            _ => $"unknown command: '{commandLine}'",
        };
        return text.Length == 0 ? "" : text.ReplaceLineEndings("\r\n").TrimEnd('\r', '\n') + "\r\n";
    }

    private static string Status(QmpRunState state) => state == QmpRunState.Running
        ? "VM status: running"
        : state is QmpRunState.Paused ? "VM status: paused" : $"VM status: paused ({MachineTypes.RunState.NameOf(state)})";

    private static string Cpus(IReadOnlyList<QmpCpu> cpus, int current)
    {
        var text = new StringBuilder();
        foreach (QmpCpu cpu in cpus)
            text.Append(cpu.Index == current ? '*' : ' ').Append($" CPU #{cpu.Index}: thread_id={cpu.ThreadId}\n");
        return text.ToString();
    }

    private static string Registers(IQmpMachine machine, string[] words, int cpuIndex)
    {
        if (machine.Cpus.Count == 0)
            return "No CPU available";
        IEnumerable<int> wanted = words.Contains("-a") ? machine.Cpus.Select(cpu => cpu.Index) : [cpuIndex];
        var text = new StringBuilder();
        foreach (int index in wanted)
            text.Append($"\nCPU#{index}\n").Append(machine.DescribeRegisters(index)).Append('\n');
        return text.ToString();
    }

    private static string Migration(QmpMigrationInfo? info)
    {
        if (info?.Status is not { } status)
            return "";
        var text = new StringBuilder($"Migration status: {MigrationTypes.Status.NameOf(status)}");
        text.Append(info.ErrorDescription is null ? "\n" : $" ({info.ErrorDescription})\n");
        Append(text, "total time", info.TotalTimeMilliseconds, "ms");
        Append(text, "expected downtime", info.ExpectedDowntimeMilliseconds, "ms");
        Append(text, "downtime", info.DowntimeMilliseconds, "ms");
        Append(text, "setup", info.SetupTimeMilliseconds, "ms");
        if (info.Ram is { } ram)
        {
            Append(text, "transferred ram", ram.TransferredBytes >> 10, "kbytes");
            text.Append($"throughput: {ram.MegabitsPerSecond:F2} mbps\n");
            Append(text, "remaining ram", ram.RemainingBytes >> 10, "kbytes");
            Append(text, "total ram", ram.TotalBytes >> 10, "kbytes");
            Append(text, "duplicate", ram.DuplicatePages, "pages");
            Append(text, "normal", ram.NormalPages, "pages");
            Append(text, "dirty sync count", ram.DirtySyncCount, "");
            Append(text, "dirty pages rate", ram.DirtyPagesRate, "pages");
        }
        return text.ToString();
    }

    private static string Colo(IQmpColo colo)
    {
        QmpColoStatus status = colo.Status;
        var text = new StringBuilder();
        text.Append($"mode: {ColoTypes.Mode.NameOf(status.Mode)}\nlast mode: {ColoTypes.Mode.NameOf(status.LastMode)}\n");
        text.Append($"reason: {ColoTypes.ExitReason.NameOf(status.Reason)}\n");
        if (colo.Statistics is not { } figures)
            return text.ToString();
        text.Append($"committed epoch: {figures.CommittedEpoch}\ncheckpoints: {figures.Checkpoints}\n");
        text.Append($"dirty pages: {figures.DirtyPages} (last {figures.LastDirtyPages})\n");
        text.Append($"transferred: {figures.TransferredBytes >> 10} kbytes\n");
        foreach ((string name, QmpTimeHistogram? times) in (ReadOnlySpan<(string, QmpTimeHistogram?)>)
            [("pause", figures.Pause), ("commit", figures.Commit), ("apply", figures.Apply)])
        {
            if (times is not null)
                text.Append($"{name}: p50 {times.P50Nanoseconds / 1000} us, p99 {times.P99Nanoseconds / 1000} us\n");
        }
        return text.ToString();
    }

    private static void Append(StringBuilder text, string name, long? value, string unit)
    {
        if (value is { } number)
            text.Append($"{name}: {number} {unit}".TrimEnd()).Append('\n');
    }
}
