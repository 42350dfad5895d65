using System.Text.Json;

namespace Kvm.Colo.Cli.Options;

/// <summary>Reads the file of <c>--config</c>: one JSON object with the options of <c>run</c>, without their dashes.</summary>
internal static class ConfigFile
{
    private const long MaxBytes = 1 << 20;

    /// <summary>Reads and checks the file.</summary>
    /// <exception cref="UsageException">It cannot be read, or is not such an object.</exception>
    public static RunSettings Read(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (file.CanSeek && file.Length > MaxBytes)
                throw new UsageException($"--config {path}: larger than {MaxBytes >> 20} MiB");
            RunSettings settings = JsonSerializer.Deserialize(file, RunSettingsJson.Default.RunSettings)
                ?? throw new UsageException($"--config {path}: not a JSON object");
            return settings.Unknown is { Count: > 0 } unknown
                ? throw new UsageException($"--config {path}: '{unknown.Keys.First()}' is no option of run")
                : settings;
        }
        catch (JsonException e)
        {
            throw new UsageException($"--config {path}: line {e.LineNumber + 1}: {Describe(e)}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"--config {path}: {e.Message}", e);
        }
    }

    // The library names CLR types and repeats the position; a user needs neither.
    private static string Describe(JsonException e)
    {
        if (e.InnerException is InvalidOperationException
            || e.Message.Contains("could not be converted", StringComparison.Ordinal))
            return e.Path is { Length: > 2 } path ? $"'{path[2..]}' has a value of the wrong type" : "not a JSON object";
        int end = e.Message.IndexOf(" Path:", StringComparison.Ordinal);
        return end < 0 ? e.Message : e.Message[..end];
    }
}
