using System.Globalization;

namespace Kvm.Colo.Qmp;

/// <summary>Where a monitor listens or a client connects: <c>unix:PATH</c> or <c>tcp:HOST:PORT[,tls=FOLDER]</c>.</summary>
internal sealed record QmpAddress
{
    private QmpAddress(string? path, string? host, int port)
    {
        Path = path;
        Host = host;
        Port = port;
    }

    /// <summary>The socket's file, null for TCP.</summary>
    public string? Path { get; }

    /// <summary>Host name or address without brackets, null for a unix socket.</summary>
    public string? Host { get; }

    public int Port { get; }

    /// <summary>The folder of the certificates and keys for TLS (<see cref="QmpTlsFiles"/>); null for a plain connection.</summary>
    public string? TlsFolder { get; private init; }

    /// <summary>
    /// Accepts QEMU's options after a comma as far as they say what is so anyway: it listens and does not wait.
    /// </summary>
    public static bool TryParse(string text, out QmpAddress address, out string error)
    {
        string[] parts = text.Split(',');
        string main = parts[0];
        address = new QmpAddress(path: null, host: null, port: 0);
        error = "";
        string? tlsFolder = null;
        foreach (string option in parts[1..])
        {
            if (option.StartsWith("tls=", StringComparison.Ordinal) && option.Length > 4 && main.StartsWith("tcp:", StringComparison.Ordinal))
                tlsFolder = option[4..];
            else if (option is not ("server" or "server=on" or "wait=off" or "nowait"))
            {
                error = $"'{text}': option '{option}' is not known (a monitor always listens and never waits)";
                return false;
            }
        }

        if (main.StartsWith("unix:", StringComparison.Ordinal) && main.Length > 5)
        {
            address = new QmpAddress(main[5..], host: null, port: 0);
            return true;
        }
        int colon = main.LastIndexOf(':');
        if (!main.StartsWith("tcp:", StringComparison.Ordinal) || colon < 5)
        {
            error = $"'{text}' is not an address (unix:PATH or tcp:HOST:PORT[,tls=FOLDER])";
            return false;
        }
        if (!int.TryParse(main.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) || port > 65535)
        {
            error = $"'{text}': '{main[(colon + 1)..]}' is not a port";
            return false;
        }
        string host = main[4..colon];
        if (host.StartsWith('[') && host.EndsWith(']'))
            host = host[1..^1];
        address = new QmpAddress(path: null, host, port) { TlsFolder = tlsFolder };
        return true;
    }

    public static QmpAddress Parse(string text) =>
        TryParse(text, out QmpAddress address, out string error) ? address : throw new FormatException(error);

    /// <summary>The same TCP host with the port the kernel gave.</summary>
    public QmpAddress WithPort(int port) => new(Path, Host, port) { TlsFolder = TlsFolder };

    public override string ToString()
    {
        string tls = TlsFolder is null ? "" : $",tls={TlsFolder}";
        return this switch
        {
            { Path: not null } => $"unix:{Path}",
            { Host: not null } when Host.Contains(':') => $"tcp:[{Host}]:{Port}{tls}",
            _ => $"tcp:{Host}:{Port}{tls}",
        };
    }
}
