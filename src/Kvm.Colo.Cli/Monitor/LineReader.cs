namespace Kvm.Colo.Cli.Monitor;

/// <summary>
/// Reads lines from a terminal with editing, history and completion. One thread reads; <see cref="PrintAbove"/> may come from
/// any. A line longer than the terminal is wide is shown around its cursor.
/// </summary>
internal sealed class LineReader(string prompt, ShellCompletion completion, LineBuffer buffer)
{
    private const string EraseLine = "\r\u001b[K";

    private readonly Lock _lock = new();
    private bool _isReading;

    /// <summary>The lines typed so far, oldest first.</summary>
    public IReadOnlyList<string> History => buffer.History;

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
                    return End(buffer.Accept());
                if (key is { Key: ConsoleKey.D, Modifiers: ConsoleModifiers.Control } && buffer.Text.Length == 0)
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
                buffer.Backspace();
                break;
            case ConsoleKey.Delete:
                buffer.Delete();
                break;
            case ConsoleKey.LeftArrow:
                buffer.MoveTo(buffer.Cursor - 1);
                break;
            case ConsoleKey.RightArrow:
                buffer.MoveTo(buffer.Cursor + 1);
                break;
            case ConsoleKey.Home:
                buffer.MoveTo(0);
                break;
            case ConsoleKey.End:
                buffer.MoveTo(int.MaxValue);
                break;
            case ConsoleKey.UpArrow:
                buffer.Older();
                break;
            case ConsoleKey.DownArrow:
                buffer.Newer();
                break;
            case ConsoleKey.Tab:
                Complete();
                break;
            default:
                if (!char.IsControl(key.KeyChar))
                    buffer.Insert(key.KeyChar.ToString());
                break;
        }
    }

    private void EditWithControl(ConsoleKey key)
    {
        switch (key)
        {
            case ConsoleKey.A:
                buffer.MoveTo(0);
                break;
            case ConsoleKey.E:
                buffer.MoveTo(int.MaxValue);
                break;
            case ConsoleKey.U:
                buffer.DeleteToStart();
                break;
            case ConsoleKey.K:
                buffer.DeleteToEnd();
                break;
            case ConsoleKey.W:
                buffer.DeleteWord();
                break;
            case ConsoleKey.D:
                buffer.Delete();
                break;
            case ConsoleKey.C:
                buffer.Clear();
                break;
            case ConsoleKey.L:
                Console.Out.Write("\u001b[H\u001b[2J");
                break;
        }
    }

    private void Complete()
    {
        IReadOnlyList<string> offers = completion.Complete(buffer.Text[..buffer.Cursor], out int start);
        if (offers.Count == 0)
            return;
        string common = ShellCompletion.CommonPrefix(offers);
        bool isWhole = offers.Count == 1 && !common.EndsWith('=') && !common.EndsWith(' ');
        if (common.Length > buffer.Cursor - start || isWhole)
            buffer.Replace(start, isWhole ? common + " " : common);
        else
            Console.Out.Write($"{EraseLine}{string.Join("  ", offers)}\n");
    }

    private void Draw()
    {
        int room = Math.Max(10, Console.WindowWidth - prompt.Length - 1);
        int first = Math.Max(0, buffer.Cursor - room);
        string shown = buffer.Text.Substring(first, Math.Min(room, buffer.Text.Length - first));
        int back = shown.Length - (buffer.Cursor - first);
        Console.Out.Write(EraseLine + prompt + shown + (back > 0 ? $"\u001b[{back}D" : ""));
    }
}
