using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>Raw data as JSON; a figure that could not be had is "NaN".</summary>
internal static class RawData
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static string Text<T>(T data) => JsonSerializer.Serialize(data, s_json);

    /// <summary>The runs of a comparison that was written as text.</summary>
    /// <exception cref="JsonException">It is no such text.</exception>
    public static IReadOnlyList<RunRecord> Runs(string text) =>
        JsonSerializer.Deserialize<RunsOnly>(text, s_json)?.Runs ?? throw new JsonException("there are no runs in it");

    /// <summary>Replaces a file as a whole: who reads it, or loses the machine meanwhile, finds the text before or the one after.</summary>
    public static void Replace<T>(T data, string path)
    {
        File.WriteAllText(path + ".new", Text(data));
        File.Move(path + ".new", path, overwrite: true);
    }

    /// <summary>Writes a file and tells where it is.</summary>
    public static void Write<T>(T data, string folder, string name)
    {
        string path = Path.Combine(folder, name);
        File.WriteAllText(path, Text(data));
        Console.Out.WriteLine($"raw data: {path}");
    }

    private sealed record RunsOnly(IReadOnlyList<RunRecord> Runs);
}
