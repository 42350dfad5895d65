using System.Text;
using Kvm.Colo.Devices.Serial;

namespace Kvm.Colo.SystemTests.Support;

/// <summary>The far end of a guest's serial line: keeps what it says, lets a test wait for it and type back.</summary>
internal sealed class ConsoleCapture : ISerialBackend
{
    private readonly Lock _lock = new();
    private readonly StringBuilder _text = new();
    private readonly ManualResetEventSlim _changed = new(false);
    private ISerialInput? _input;

    public long DroppedBytes => 0;

    public string Text
    {
        get
        {
            lock (_lock)
                return _text.ToString();
        }
    }

    public string[] Lines => Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.TrimEnd('\r')).ToArray();

    public void Start(ISerialInput input, Action outputReady) => _input = input;

    public int TryWrite(ReadOnlySpan<byte> data)
    {
        lock (_lock)
            _text.Append(Encoding.Latin1.GetString(data));
        _changed.Set();
        return data.Length;
    }

    public void ResumeInput()
    {
    }

    public bool Flush(TimeSpan deadline) => true;

    public void Dispose()
    {
        // Left for the collector: a test may still look at the text.
    }

    public int Type(string text) => _input!.Receive(Encoding.ASCII.GetBytes(text));

    /// <summary>Waits until what was said satisfies the condition, and returns it.</summary>
    public string WaitFor(Func<string, bool> condition, string what, int seconds = 30)
    {
        long end = Environment.TickCount64 + (seconds * 1000L);
        while (true)
        {
            _changed.Reset();
            string text = Text;
            if (condition(text))
                return text;
            long left = end - Environment.TickCount64;
            if (left <= 0 || !_changed.Wait((int)left))
                throw new TimeoutException($"the guest did not say {what} within {seconds} s; it said:\n{Tail(text)}");
        }
    }

    public string WaitFor(string text, int seconds = 30) => WaitFor(all => all.Contains(text, StringComparison.Ordinal), $"'{text}'", seconds);

    private static string Tail(string text) => text.Length <= 2000 ? text : text[^2000..];
}
