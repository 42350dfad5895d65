using System.Diagnostics;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>The programs and files a comparison uses; native helpers are built when they are missing or old.</summary>
internal sealed class Tools
{
    private readonly string _root;

    public Tools(string root)
    {
        _root = root;
        Output = Path.Combine(root, "out", "bench");
        Directory.CreateDirectory(Output);
        ColoVm = Existing(Path.Combine(root, "out", "bin", "colo-vm"), "run scripts/setup build");
    }

    public string Output { get; }

    public string ColoVm { get; }

    /// <summary>Looked up once it is needed: not every command needs QEMU.</summary>
    public string Qemu => field ??= Find("qemu-system-x86_64");

    /// <summary>The first line of its answer, or that there is none.</summary>
    public string QemuVersion => TryFind("qemu-system-x86_64") is { } qemu ? Capture(qemu, "--version").Split('\n')[0] : "no QEMU";

    public string NoDelayShim => field ??= Build("nodelay", "libnodelay.so", ["-shared", "-fPIC", "-ldl"]);

    public string ExitLoop => field ??= Build("exit_loop", "exit_loop", []);

    /// <summary>The Linux guest's initial file system with the load; scripts/bench makes it.</summary>
    public string LinuxWithLoad => Existing(Path.Combine(Output, "linux-load.cpio.gz"), "run scripts/bench --testbed");

    public string Script(string name) => Existing(Path.Combine(_root, "scripts", name), "take the whole repository");

    public string Image(string name) => Existing(Path.Combine(_root, "out", "images", name), "run scripts/setup build");

    /// <summary>The repository whose scripts called, or the one this was built in.</summary>
    public static string FindRoot()
    {
        for (DirectoryInfo? folder = new(Directory.GetCurrentDirectory()); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Kvm.Colo.sln")))
                return folder.FullName;
        }

        throw new FileNotFoundException("run this inside the repository (no Kvm.Colo.sln above the current folder)");
    }

    /// <summary>Standard output of a program, without the last line end.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static string Capture(string program, params string[] arguments)
    {
        int status = CaptureAny(out string text, program, arguments);
        return status == 0 ? text : throw new InvalidOperationException($"{program} ended with {status}");
    }

    /// <summary>Runs a program to its end and returns its exit status, whatever that is.</summary>
    public static int CaptureAny(out string text, string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        })!;
        text = process.StandardOutput.ReadToEnd().TrimEnd();
        process.WaitForExit();
        return process.ExitCode;
    }

    private static string Existing(string path, string remedy) =>
        File.Exists(path) ? path : throw new FileNotFoundException($"{path} is missing: {remedy}");

    private static string Find(string program) =>
        TryFind(program) ?? throw new FileNotFoundException($"{program} is missing: apt-get install qemu-system-x86");

    private static string? TryFind(string program)
    {
        foreach (string folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'))
        {
            string path = Path.Combine(folder, program);
            if (File.Exists(path))
                return path;
        }

        return null;
    }

    private string Build(string source, string target, string[] options)
    {
        string from = Path.Combine(_root, "tests", "Kvm.Colo.Benchmarks", "native", source + ".c");
        string to = Path.Combine(Output, target);
        if (!File.Exists(to) || File.GetLastWriteTimeUtc(to) < File.GetLastWriteTimeUtc(from))
            Capture("gcc", ["-O2", "-Wall", "-Wextra", "-Werror", from, "-o", to, .. options]);
        return to;
    }
}
