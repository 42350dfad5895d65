using Microsoft.Extensions.Logging;

namespace Kvm.Colo.Devices.Serial;

/// <summary>What <c>--serial</c> asked for: <c>stdio</c>, <c>file:PATH</c>, <c>unix:PATH[,server]</c> or <c>null</c>.</summary>
internal sealed record SerialBackendSpec(SerialBackendKind Kind, string Path = "")
{
    /// <summary>A UNIX socket address holds 107 bytes of path (sockaddr_un).</summary>
    private const int MaxSocketPathBytes = 107;

    /// <summary>Parses the argument of <c>--serial</c>; on false <paramref name="error"/> is one line for the user.</summary>
    public static bool TryParse(string text, out SerialBackendSpec spec, out string error)
    {
        spec = new SerialBackendSpec(SerialBackendKind.Null);
        error = "";
        switch (text)
        {
            case "null":
                return true;
            case "stdio":
                spec = new SerialBackendSpec(SerialBackendKind.Stdio);
                return true;
            case ['f', 'i', 'l', 'e', ':', .. var path] when path.Length > 0:
                spec = new SerialBackendSpec(SerialBackendKind.File, path);
                return true;
            case ['u', 'n', 'i', 'x', ':', .. var rest] when rest.Length > 0:
                return TryParseSocket(rest, out spec, out error);
            default:
                error = $"serial '{text}' is not one of stdio, file:PATH, unix:PATH[,server], null";
                return false;
        }
    }

    /// <summary>Opens the backend; the two streams are used (and owned) by <see cref="SerialBackendKind.Stdio"/> only.</summary>
    /// <exception cref="SerialBackendException">It cannot be opened.</exception>
    public ISerialBackend Open(System.IO.Stream? input, System.IO.Stream? output, ILogger logger) => Kind switch
    {
        SerialBackendKind.Null => new NullSerialBackend(),
        SerialBackendKind.Stdio when output is null => throw new SerialBackendException("serial stdio: no standard output"),
        SerialBackendKind.Stdio => new StreamSerialBackend(input, output, logger),
        SerialBackendKind.File => StreamSerialBackend.CreateFile(Path, logger),
        SerialBackendKind.UnixListen => UnixSocketSerialBackend.Listen(Path, logger),
        _ => UnixSocketSerialBackend.Connect(Path, logger),
    };

    private static bool TryParseSocket(string rest, out SerialBackendSpec spec, out string error)
    {
        int comma = rest.IndexOf(',');
        string path = comma < 0 ? rest : rest[..comma];
        string option = comma < 0 ? "" : rest[(comma + 1)..];
        spec = new SerialBackendSpec(option.Length == 0 ? SerialBackendKind.UnixConnect : SerialBackendKind.UnixListen, path);
        error = "";
        if (path.Length == 0 || System.Text.Encoding.UTF8.GetByteCount(path) > MaxSocketPathBytes)
            error = $"serial socket path '{path}' must have 1 to {MaxSocketPathBytes} bytes";
        else if (comma >= 0 && option is not ("server" or "server=on"))
            error = $"serial socket option '{option}' is not 'server'";
        return error.Length == 0;
    }
}
