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
            return JsonSerializer.Deserialize(file, RunSettingsJson.Default.RunSettings)
                ?? throw new UsageException($"--config {path}: not a JSON object");
        }
        catch (JsonException e)
        {
            throw new UsageException($"--config {path}: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"--config {path}: {e.Message}", e);
        }
    }
}
