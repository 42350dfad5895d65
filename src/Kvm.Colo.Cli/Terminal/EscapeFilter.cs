namespace Kvm.Colo.Cli.Terminal;

/// <summary>
/// Takes the escape sequences of a raw terminal out of what is typed: Ctrl-A x, Ctrl-A Ctrl-A, Ctrl-A h. Pure; one thread.
/// </summary>
internal sealed class EscapeFilter
{
    public const byte Escape = 0x01;

    private bool _isEscaped;

    /// <summary>Ctrl-A x was typed.</summary>
    public bool QuitRequested { get; private set; }

    /// <summary>Ctrl-A h was typed since this was last set to false.</summary>
    public bool HelpRequested { get; set; }

    /// <summary>Moves what is for the guest to the front of <paramref name="data"/> and returns how much that is.</summary>
    public int Filter(Span<byte> data)
    {
        int kept = 0;
        foreach (byte key in data)
        {
            if (_isEscaped)
            {
                _isEscaped = false;
                if (key == Escape)
                    data[kept++] = key;
                QuitRequested |= key is (byte)'x' or (byte)'X';
                HelpRequested |= key is (byte)'h' or (byte)'?';
            }
            else if (key == Escape)
            {
                _isEscaped = true;
            }
            else
            {
                data[kept++] = key;
            }
        }

        return kept;
    }
}
