using System.Diagnostics;
using System.Text;

namespace Kvm.Colo.SystemTests.Support;

/// <summary>The program <c>colo-vm</c> as its user starts it.</summary>
internal static class TerminalProgram
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    /// <summary>The program as it is delivered where <c>COLO_VM</c> names it, as <c>scripts/test</c> does; else what was built beside the tests.</summary>
    public static string Path { get; } = Environment.GetEnvironmentVariable("COLO_VM") ?? System.IO.Path.Combine(AppContext.BaseDirectory, "colo-vm");

    /// <summary>Runs it with arguments and input to its end.</summary>
    public static (int Status, string Output, string Error) Run(string[] arguments, string input = "") => Start(Path, arguments, input, folder: null);

    /// <summary>Runs a bash script in which <c>$0</c> is the program.</summary>
    public static (int Status, string Output, string Error) Bash(string script) => Start("bash", ["-c", script, Path], "", folder: null);

    /// <summary>
    /// Runs it on a terminal of its own. Keys are given one after another, each when the screen shows what it waits for.
    /// </summary>
    public static string OnTerminal(string[] arguments, string stateFolder, params (string WaitFor, string Keys)[] typed)
    {
        string command = string.Join(' ', arguments.Prepend(Path).Select(static word => $"'{word}'"));
        using Process process = Process.Start(Describe("script", ["-qefc", $"stty cols 120 rows 30; {command}", "/dev/null"], stateFolder))!;
        StringBuilder screen = new();
        byte[] buffer = new byte[4096];
        System.IO.Stream output = process.StandardOutput.BaseStream;
        int next = 0;
        int seen = 0;
        using CancellationTokenSource end = new(s_deadline);
        using CancellationTokenRegistration kill = end.Token.Register(() => process.Kill(entireProcessTree: true));
        while (output.Read(buffer) is > 0 and int count)
        {
            screen.Append(Encoding.UTF8.GetString(buffer, 0, count));
            while (next < typed.Length && screen.ToString(seen, screen.Length - seen).Contains(typed[next].WaitFor, StringComparison.Ordinal))
            {
                seen = screen.Length;
                process.StandardInput.Write(typed[next++].Keys);
                process.StandardInput.Flush();
            }
        }

        process.WaitForExit();
        if (next < typed.Length || process.ExitCode != 0)
            throw new InvalidOperationException($"exit status {process.ExitCode}, still waiting for '{(next < typed.Length ? typed[next].WaitFor : "")}':\n{screen}");
        return screen.ToString();
    }

    private static (int Status, string Output, string Error) Start(string file, string[] arguments, string input, string? folder)
    {
        using Process process = Process.Start(Describe(file, arguments, folder))!;
        using CancellationTokenSource end = new(s_deadline);
        using CancellationTokenRegistration kill = end.Token.Register(() => process.Kill(entireProcessTree: true));
        Task<string> error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.GetAwaiter().GetResult());
    }

    /// <summary>How a program is started here: its three streams are pipes.</summary>
    public static ProcessStartInfo Describe(string file, string[] arguments, string? stateFolder)
    {
        ProcessStartInfo start = new(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["TERM"] = "xterm";
        start.Environment["DOTNET_ROOT"] = System.IO.Path.GetFullPath(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(typeof(object).Assembly.Location)!, "../../.."));
        if (stateFolder is not null)
            start.Environment["XDG_STATE_HOME"] = stateFolder;
        return start;
    }
}
