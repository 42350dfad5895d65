using System.Text;

namespace Kvm.Colo.SystemTests.Support;

/// <summary>What a guest has said so far, and the means to wait for more.</summary>
internal sealed class ConsoleText
{
    private readonly Lock _lock = new();
    private readonly StringBuilder _text = new();
    private readonly ManualResetEventSlim _changed = new(false);

    public string Text
    {
        get
        {
            lock (_lock)
                return _text.ToString();
        }
    }

    public int Length
    {
        get
        {
            lock (_lock)
                return _text.Length;
        }
    }

    /// <summary>Whole lines; a last line without its end is left out.</summary>
    public string[] Lines => SplitLines(Text);

    public static string[] SplitLines(string text)
    {
        string[] lines = text.Split('\n');
        return [.. lines[..^1].Select(static line => line.TrimEnd('\r'))];
    }

    public void Append(string text)
    {
        lock (_lock)
            _text.Append(text);
        _changed.Set();
    }

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

    /// <summary>Waits until this many more lines than now have been said that hold <paramref name="part"/>.</summary>
    public void WaitForMoreLines(int count, string part = "", int seconds = 30)
    {
        int wanted = CountLines(Text, part) + count;
        WaitFor(text => CountLines(text, part) >= wanted, $"{count} more lines with '{part}'", seconds);
    }

    private static int CountLines(string text, string part) =>
        SplitLines(text).Count(line => line.Contains(part, StringComparison.Ordinal));

    private static string Tail(string text) => text.Length <= 2000 ? text : text[^2000..];
}
