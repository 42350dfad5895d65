using System.Globalization;

namespace Kvm.Colo.Migration.Links;

/// <summary>Where a migration goes or comes from, with QEMU's spelling: tcp:HOST:PORT, unix:PATH, file:PATH, exec:COMMAND, fd:N.</summary>
internal sealed record MigrationUri(MigrationTransport Transport, string Target, int Port)
{
    /// <summary>Parses <paramref name="text"/>; false with one line saying what is wrong.</summary>
    public static bool TryParse(string text, out MigrationUri? uri, out string? problem)
    {
        uri = null;
        problem = null;
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string scheme = colon < 0 ? "" : text[..colon];
        string rest = text[(colon + 1)..];
        switch (scheme)
        {
            case "tcp":
                return TryParseTcp(text, rest, out uri, out problem);
            case "unix" or "file" or "exec" when rest.Length > 0:
                MigrationTransport transport = scheme switch
                {
                    "unix" => MigrationTransport.Unix,
                    "file" => MigrationTransport.File,
                    _ => MigrationTransport.Exec,
                };
                uri = new MigrationUri(transport, rest, 0);
                return true;
            case "fd" when int.TryParse(rest, NumberStyles.None, CultureInfo.InvariantCulture, out int descriptor):
                uri = new MigrationUri(MigrationTransport.Descriptor, rest, descriptor);
                return true;
            default:
                problem = $"unknown migration address '{text}': use tcp:HOST:PORT, unix:PATH, file:PATH, exec:COMMAND or fd:N";
                return false;
        }
    }

    public override string ToString() => Transport switch
    {
        MigrationTransport.Tcp => $"tcp:{Target}:{Port}",
        MigrationTransport.Unix => $"unix:{Target}",
        MigrationTransport.File => $"file:{Target}",
        MigrationTransport.Exec => $"exec:{Target}",
        _ => $"fd:{Target}",
    };

    private static bool TryParseTcp(string text, string rest, out MigrationUri? uri, out string? problem)
    {
        int colon = rest.LastIndexOf(':');
        string host = colon < 0 ? "" : rest[..colon];
        if (host.StartsWith('[') && host.EndsWith(']'))
            host = host[1..^1];
        uri = null;
        problem = null;
        if (colon >= 0 && ushort.TryParse(rest[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
        {
            uri = new MigrationUri(MigrationTransport.Tcp, host.Length == 0 ? "0.0.0.0" : host, port);
            return true;
        }

        problem = $"'{text}' is not tcp:HOST:PORT with a port from 0 to 65535";
        return false;
    }
}
