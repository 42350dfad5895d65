namespace Kvm.Colo.Cli.Monitor;

/// <summary>
/// Reads lines from a terminal with editing, history and completion. One thread reads; <see cref="PrintAbove"/> may come from
/// any. A line longer than the terminal is wide is shown around its cursor.
/// </summary>
internal sealed class LineReader(string prompt, ShellCompletion completion)
{
    private const string EraseLine = "\r\u001b[K";

    private readonly Lock _lock = new();
    private readonly LineBuffer _buffer = new();
    private bool _isReading;

    /// <summary>The next line, null at Ctrl-D on an empty one.</summary>
    public string? Read()
    {
        lock (_lock)
        {
            _isReading = true;
            Draw();
        }

        while (true)
        {
            ConsoleKeyInfo key = Console.ReadKey(intercept: true);
            lock (_lock)
            {
                if (key.Key == ConsoleKey.Enter)
                    return End(_buffer.Accept());
                if (key is { Key: ConsoleKey.D, Modifiers: ConsoleModifiers.Control } && _buffer.Text.Length == 0)
                    return End(null);
                Edit(key);
                Draw();
            }
        }
    }

    /// <summary>Prints a line without disturbing the one being typed.</summary>
    public void PrintAbove(string text)
    {
        lock (_lock)
        {
            Console.Out.Write(_isReading ? $"{EraseLine}{text}\n" : $"{text}\n");
            if (_isReading)
                Draw();
        }
    }

    private string? End(string? line)
    {
        _isReading = false;
        Console.Out.Write('\n');
        return line;
    }

    private void Edit(ConsoleKeyInfo key)
    {
        if (key.Modifiers == ConsoleModifiers.Control)
        {
            EditWithControl(key.Key);
            return;
        }

        switch (key.Key)
        {
            case ConsoleKey.Backspace:
                _buffer.Backspace();
                break;
            case ConsoleKey.Delete:
                _buffer.Delete();
                break;
            case ConsoleKey.LeftArrow:
                _buffer.MoveTo(_buffer.Cursor - 1);
                break;
            case ConsoleKey.RightArrow:
                _buffer.MoveTo(_buffer.Cursor + 1);
                break;
            case ConsoleKey.Home:
                _buffer.MoveTo(0);
                break;
            case ConsoleKey.End:
                _buffer.MoveTo(int.MaxValue);
                break;
            case ConsoleKey.UpArrow:
                _buffer.Older();
                break;
            case ConsoleKey.DownArrow:
                _buffer.Newer();
                break;
            case ConsoleKey.Tab:
                Complete();
                break;
            default:
                if (!char.IsControl(key.KeyChar))
                    _buffer.Insert(key.KeyChar.ToString());
                break;
        }
    }

    private void EditWithControl(ConsoleKey key)
    {
        switch (key)
        {
            case ConsoleKey.A:
                _buffer.MoveTo(0);
                break;
            case ConsoleKey.E:
                _buffer.MoveTo(int.MaxValue);
                break;
            case ConsoleKey.U:
                _buffer.DeleteToStart();
                break;
            case ConsoleKey.K:
                _buffer.DeleteToEnd();
                break;
            case ConsoleKey.W:
                _buffer.DeleteWord();
                break;
            case ConsoleKey.D:
                _buffer.Delete();
                break;
            case ConsoleKey.C:
                _buffer.Clear();
                break;
            case ConsoleKey.L:
                Console.Out.Write("\u001b[H\u001b[2J");
                break;
        }
    }

    private void Complete()
    {
        IReadOnlyList<string> offers = completion.Complete(_buffer.Text[.._buffer.Cursor], out int start);
        if (offers.Count == 0)
            return;
        string common = ShellCompletion.CommonPrefix(offers);
        bool isWhole = offers.Count == 1 && !common.EndsWith('=') && !common.EndsWith(' ');
        if (common.Length > _buffer.Cursor - start || isWhole)
            _buffer.Replace(start, isWhole ? common + " " : common);
        else
            Console.Out.Write($"{EraseLine}{string.Join("  ", offers)}\n");
    }

    private void Draw()
    {
        int room = Math.Max(10, Console.WindowWidth - prompt.Length - 1);
        int first = Math.Max(0, _buffer.Cursor - room);
        string shown = _buffer.Text.Substring(first, Math.Min(room, _buffer.Text.Length - first));
        int back = shown.Length - (_buffer.Cursor - first);
        Console.Out.Write(EraseLine + prompt + shown + (back > 0 ? $"\u001b[{back}D" : ""));
    }
}
