namespace Kvm.Colo.Cli.Monitor;

/// <summary>Durations and sizes for people.</summary>
internal static class Units
{
    public static string Duration(TimeSpan? time) => time switch
    {
        null => "-",
        { TotalSeconds: >= 1 } value => $"{value.TotalSeconds:0.00} s",
        { TotalMilliseconds: >= 1 } value => $"{value.TotalMilliseconds:0.0} ms",
        { } value => $"{value.TotalMicroseconds:0} us",
    };

    public static string Bytes(double bytes) => bytes switch
    {
        >= 1L << 30 => $"{bytes / (1L << 30):0.0} GiB",
        >= 1L << 20 => $"{bytes / (1L << 20):0.0} MiB",
        >= 1L << 10 => $"{bytes / (1L << 10):0.0} KiB",
        _ => $"{bytes:0} B",
    };
}
