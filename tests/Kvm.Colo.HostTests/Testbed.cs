using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Kvm.Colo.HostTests;

/// <summary>Emulated hosts with KVM of their own, driven through <c>scripts/testbed</c>; disposing ends them.</summary>
internal sealed class Testbed : IDisposable
{
    // scripts/testbed: the host went away or fell silent; scenarios/lib.sh: the emulated CPU has lost the guest.
    private const int StatusOfGoneHost = 125;
    private const int StatusOfHostFault = 75;

    private static readonly TimeSpan s_startDeadline = TimeSpan.FromMinutes(4);
    private readonly string _state;

    /// <summary>Boots <paramref name="hosts"/> hosts with one CPU each under a state name of their own.</summary>
    public Testbed(string name, int hosts)
    {
        _state = string.Create(CultureInfo.InvariantCulture, $"test-{name}-{Environment.ProcessId}");
        Script(s_startDeadline, "start", "--state", _state, "--hosts", Text(hosts), "--cpus", "1", "--memory", "2600", "--life", "3600");
    }

    /// <summary>The top of the source tree.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Null, or what this machine lacks.</summary>
    public static string? SkipReason { get; } = FindSkipReason();

    /// <summary>The folder that this machine and all hosts share, under the same path.</summary>
    public string Exchange => Path.Combine(Root, "out", "testbed", "state", _state, "exchange");

    /// <summary>Starts a command on a host and does not wait for it.</summary>
    public void Begin(int host, params string[] command) =>
        Script(TimeSpan.FromMinutes(1), ["exec", Text(host), "--state", _state, "--detach", "--", .. command]);

    /// <summary>Runs a command on a host and returns its output; it must succeed.</summary>
    /// <exception cref="HostFaultException">The emulated host failed, not what ran on it.</exception>
    public string Run(int host, TimeSpan deadline, params string[] command) => Script(
        deadline + TimeSpan.FromSeconds(30),
        ["exec", Text(host), "--state", _state, "--timeout", Text((int)deadline.TotalSeconds), "--", .. command]);

    /// <summary>Power cut.</summary>
    public void Cut(int host) => Script(TimeSpan.FromMinutes(1), "cut", Text(host), "--state", _state);

    public void Dispose()
    {
        Script(TimeSpan.FromMinutes(1), "stop", "--state", _state);
        string folder = Path.Combine(Root, "out", "testbed", "state", _state);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    private static string Script(TimeSpan deadline, params IEnumerable<string> arguments)
    {
        using Process process = new()
        {
            StartInfo = new ProcessStartInfo(Path.Combine(Root, "scripts", "testbed"), arguments)
            {
                UseShellExecute = false,
                WorkingDirectory = Root,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        StringBuilder output = new();
        process.OutputDataReceived += Append;
        process.ErrorDataReceived += Append;
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        bool ended = process.WaitForExit(deadline);
        if (!ended)
            process.Kill(entireProcessTree: true);
        process.WaitForExit();
        string text;
        lock (output)
            text = output.ToString();
        if (!ended || process.ExitCode != 0)
        {
            if (ended && process.ExitCode is StatusOfGoneHost or StatusOfHostFault)
                throw new HostFaultException($"scripts/testbed {string.Join(' ', arguments)} ended with status {process.ExitCode}:\n{text}");
            string how = ended ? $"ended with status {process.ExitCode}" : $"did not end within {deadline.TotalSeconds} s";
            throw new InvalidOperationException($"scripts/testbed {string.Join(' ', arguments)} {how}:\n{text}");
        }

        return text;

        void Append(object sender, DataReceivedEventArgs line)
        {
            lock (output)
                output.AppendLine(line.Data);
        }
    }

    private static string? FindSkipReason()
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        if (!folders.Any(static folder => File.Exists(Path.Combine(folder, "qemu-system-x86_64"))))
            return "QEMU is not installed (scripts/setup testbed)";
        string[] files = ["out/testbed/vmlinux", "out/testbed/initrd.cpio", "out/images/linux/disk.img"];
        string? missing = files.FirstOrDefault(static file => !File.Exists(Path.Combine(Root, file)));
        return missing is null ? null : $"{missing} is not there (scripts/setup testbed)";
    }

    private static string FindRoot()
    {
        string? folder = Path.GetDirectoryName(SourcePath());
        while (folder is not null && !File.Exists(Path.Combine(folder, "Kvm.Colo.sln")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("the source tree is not where it was built");
    }

    private static string SourcePath([System.Runtime.CompilerServices.CallerFilePath] string path = "") => path;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
