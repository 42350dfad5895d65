namespace Kvm.Colo.Cli.Monitor;

/// <summary>The line being typed, its cursor, and the lines typed before. Pure; one thread.</summary>
internal sealed class LineBuffer
{
    public const int MaxHistory = 500;

    private readonly List<string> _history;
    private int _recalled;
    private string _draft = "";

    /// <summary>Begins with an empty line.</summary>
    /// <param name="history">Lines typed before, oldest first; of too many the newest count.</param>
    public LineBuffer(IEnumerable<string>? history = null)
    {
        _history = [.. (history ?? []).TakeLast(MaxHistory)];
        _recalled = _history.Count;
    }

    public IReadOnlyList<string> History => _history;

    public string Text { get; private set; } = "";

    public int Cursor { get; private set; }

    public void Insert(string text)
    {
        Text = Text.Insert(Cursor, text);
        Cursor += text.Length;
    }

    /// <summary>Puts text in place of what stands between a position and the cursor.</summary>
    public void Replace(int start, string text)
    {
        Text = Text.Remove(start, Cursor - start);
        Cursor = start;
        Insert(text);
    }

    public void Backspace()
    {
        if (Cursor == 0)
            return;
        Text = Text.Remove(--Cursor, 1);
    }

    public void Delete()
    {
        if (Cursor < Text.Length)
            Text = Text.Remove(Cursor, 1);
    }

    public void DeleteToStart()
    {
        Text = Text[Cursor..];
        Cursor = 0;
    }

    public void DeleteToEnd() => Text = Text[..Cursor];

    public void DeleteWord()
    {
        int start = Cursor;
        while (start > 0 && Text[start - 1] == ' ')
            start--;
        while (start > 0 && Text[start - 1] != ' ')
            start--;
        Replace(start, "");
    }

    public void MoveTo(int cursor) => Cursor = Math.Clamp(cursor, 0, Text.Length);

    /// <summary>The line before the one shown.</summary>
    public void Older()
    {
        if (_recalled == 0)
            return;
        if (_recalled == _history.Count)
            _draft = Text;
        Show(_history[--_recalled]);
    }

    /// <summary>The line after the one shown; after the last, what was being typed.</summary>
    public void Newer()
    {
        if (_recalled == _history.Count)
            return;
        _recalled++;
        Show(_recalled == _history.Count ? _draft : _history[_recalled]);
    }

    /// <summary>Ends the line: remembers it unless it repeats the last, and begins an empty one.</summary>
    public string Accept()
    {
        string line = Text;
        if (line.Trim().Length > 0 && (_history.Count == 0 || _history[^1] != line))
            _history.Add(line);
        if (_history.Count > MaxHistory)
            _history.RemoveAt(0);
        Clear();
        return line;
    }

    public void Clear()
    {
        _recalled = _history.Count;
        _draft = "";
        Show("");
    }

    private void Show(string text)
    {
        Text = text;
        Cursor = text.Length;
    }
}
