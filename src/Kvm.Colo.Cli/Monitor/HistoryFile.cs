namespace Kvm.Colo.Cli.Monitor;

/// <summary>
/// The lines typed in the interactive shell, kept for the next time in a file only its owner can read. A history that cannot be read or
/// kept is told once and is no reason not to run.
/// </summary>
internal sealed class HistoryFile(string path)
{
    private const long MaxBytes = 1 << 20;

    /// <summary>Where the XDG base directory specification has it: <c>$XDG_STATE_HOME/colo-vm/qmp-history</c>.</summary>
    public static HistoryFile OfUser()
    {
        string? state = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        if (string.IsNullOrEmpty(state))
            state = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state");
        return new HistoryFile(Path.Combine(state, "colo-vm", "qmp-history"));
    }

    public IReadOnlyList<string> Load()
    {
        try
        {
            FileInfo file = new(path);
            return file is { Exists: true, Length: <= MaxBytes } ? File.ReadAllLines(path) : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Terminal.Messages.Line($"the history cannot be read: {e.Message}");
            return [];
        }
    }

    public void Save(IReadOnlyList<string> lines)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            FileStreamOptions options = new()
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            };
            using StreamWriter writer = new(path + ".new", options);
            foreach (string line in lines)
                writer.WriteLine(line);
            writer.Close();
            File.Move(path + ".new", path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Terminal.Messages.Line($"the history cannot be kept: {e.Message}");
        }
    }
}
