using System.Diagnostics;
using System.Runtime.InteropServices;
using Xunit;

namespace Kvm.Colo.TestKit;

/// <summary>
/// Runs a test on a thread of its own in a network namespace of its own; what it makes disappears with the thread.
/// </summary>
internal static partial class TapNamespace
{
    private const int NewNetwork = 0x4000_0000;

    // Longer than what any test waits for in it, so that the test says itself what did not come.
    private static readonly TimeSpan s_deadline = TimeSpan.FromMinutes(5);

    /// <summary>Why tap tests cannot run here; null when they can.</summary>
    public static string? Obstacle { get; } = FindObstacle();

    public static void Run(Action test)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Assert.Equal(0, Unshare(NewNetwork));
                test();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        Assert.True(thread.Join(s_deadline), $"the test did not end within {s_deadline}");
        if (failure is not null)
            throw new AggregateException(failure);
    }

    /// <summary>Runs <c>ip</c> in the namespace of the calling thread.</summary>
    public static void Ip(params string[] arguments)
    {
        var start = new ProcessStartInfo("ip", arguments) { UseShellExecute = false, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        string errors = process.StandardError.ReadToEnd();
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(60)), "ip did not end");
        Assert.True(process.ExitCode == 0, $"ip {string.Join(' ', arguments)}: {errors}");
    }

    private static string? FindObstacle()
    {
        if (!File.Exists("/dev/net/tun"))
            return "no /dev/net/tun";
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        if (!folders.Any(static folder => File.Exists(Path.Combine(folder, "ip"))))
            return "no ip command";
        int result = -1;
        var thread = new Thread(() => result = Unshare(NewNetwork));
        thread.Start();
        thread.Join();
        return result == 0 ? null : "no CAP_NET_ADMIN for a network namespace";
    }

    [DllImport("libc", EntryPoint = "unshare")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Unshare(int flags);
}
