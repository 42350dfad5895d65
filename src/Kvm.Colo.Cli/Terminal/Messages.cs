using System.Text;
using Kvm.Colo.Native.Io;

namespace Kvm.Colo.Cli.Terminal;

/// <summary>
/// Standard error: one line per message, and on a terminal a status line below them that is rewritten in place. Any thread.
/// Written without System.Console, which would set the terminal up.
/// </summary>
internal static class Messages
{
    private const string EraseLine = "\r\u001b[K";

    private static readonly Lock s_lock = new();
    private static readonly System.IO.Stream s_error = new StandardOutputStream(2);
    private static string _status = "";

    public static bool IsTerminal { get; } = !Console.IsErrorRedirected;

    /// <summary>Writes <c>colo-vm: TEXT</c>.</summary>
    public static void Line(string text) => Write($"colo-vm: {text}\n");

    /// <summary>Writes text as it is, above the status line.</summary>
    public static void Write(string text)
    {
        lock (s_lock)
            Send(_status.Length > 0 ? EraseLine + text + _status : text);
    }

    /// <summary>Shows a status line, or takes it away when empty; does nothing where there is no terminal.</summary>
    public static void Status(string text)
    {
        if (!IsTerminal)
            return;
        lock (s_lock)
        {
            if (text != _status)
                Send(EraseLine + text);
            _status = text;
        }
    }

    private static void Send(string text)
    {
        try
        {
            s_error.Write(Encoding.UTF8.GetBytes(text));
        }
        catch (IOException)
        {
            // Nobody reads standard error; there is no other place to say so.
        }
    }
}
