using Kvm.Colo.Devices.Serial;

namespace Kvm.Colo.Cli.Options;

/// <summary>Reads <c>--serial</c> and <c>--console</c>, which share the terminal. Opens nothing.</summary>
internal static class ConsoleOptions
{
    private const string Stdio = "stdio";

    /// <summary>
    /// What each is connected to, with the text it was said in. The serial line has the terminal unless the console is given it.
    /// </summary>
    /// <exception cref="UsageException">Neither knows such a place, or both want the terminal.</exception>
    public static (SerialBackendSpec Serial, string SerialText, SerialBackendSpec? Console) Read(string? serial, string? console)
    {
        string serialText = serial ?? (console == Stdio ? "null" : Stdio);
        if (!SerialBackendSpec.TryParse(serialText, out SerialBackendSpec serialSpec, out string problem))
            throw new UsageException($"--serial: {problem}");
        if (console is null)
            return (serialSpec, serialText, null);
        if (!SerialBackendSpec.TryParse(console, out SerialBackendSpec consoleSpec, out problem))
            throw new UsageException($"--console: {problem}");
        if (serialSpec.Kind == SerialBackendKind.Stdio && consoleSpec.Kind == SerialBackendKind.Stdio)
        {
            throw new UsageException(
                "--serial stdio and --console stdio: there is one terminal (give the serial line another place, or null)");
        }

        return (serialSpec, serialText, consoleSpec);
    }
}
