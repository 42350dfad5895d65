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

    /// <summary>Writes a file and tells where it is.</summary>
    public static void Write<T>(T data, string folder, string name)
    {
        string path = Path.Combine(folder, name);
        File.WriteAllText(path, Text(data));
        Console.Out.WriteLine($"raw data: {path}");
    }
}
