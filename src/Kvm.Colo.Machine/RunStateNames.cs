namespace Kvm.Colo.Machine;

/// <summary>The QAPI names of the run states.</summary>
internal static class RunStateNames
{
    private static readonly string[] s_names =
    [
        "prelaunch", "inmigrate", "running", "paused", "suspended", "debug", "io-error", "internal-error", "watchdog",
        "guest-panicked", "shutdown", "finish-migrate", "postmigrate", "save-vm", "restore-vm", "colo",
    ];

    private static readonly byte[][] s_utf8 = [.. s_names.Select(System.Text.Encoding.ASCII.GetBytes)];

    public static IReadOnlyList<RunState> All { get; } = Enum.GetValues<RunState>();

    public static string Name(this RunState state) => s_names[(int)state];

    public static ReadOnlySpan<byte> Utf8(RunState state) => s_utf8[(int)state];
}
