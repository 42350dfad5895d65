using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Kvm.Colo.Cli.Monitor;

/// <summary>A command as a person writes it: <c>name {json}</c> or <c>name key=value…</c>.</summary>
internal static class CommandLineWords
{
    /// <summary>Splits words into a name and JSON arguments; no word means no name.</summary>
    /// <exception cref="UsageException">The arguments are neither.</exception>
    public static void Split(IReadOnlyList<string> words, out string? name, out string? arguments)
    {
        name = words.Count > 0 ? words[0] : null;
        arguments = words.Count switch
        {
            0 or 1 => null,
            _ when words[1].TrimStart().StartsWith('{') => CheckJson(string.Join(' ', words.Skip(1))),
            _ => Build(words.Skip(1)),
        };
    }

    /// <summary>Splits a line; a part in quotes belongs to its word.</summary>
    public static IReadOnlyList<string> SplitLine(string line)
    {
        line = line.Trim();
        int space = line.IndexOf(' ', StringComparison.Ordinal);
        if (space > 0 && line[space..].TrimStart().StartsWith('{'))
            return [line[..space], line[space..].Trim()];
        List<string> words = [];
        StringBuilder word = new();
        char quote = '\0';
        bool hasWord = false;
        foreach (char c in line)
        {
            if (quote != '\0' ? c == quote : c is '"' or '\'')
            {
                quote = quote == '\0' ? c : '\0';
                hasWord = true;
            }
            else if (quote == '\0' && c == ' ')
            {
                if (hasWord)
                    words.Add(word.ToString());
                word.Clear();
                hasWord = false;
            }
            else
            {
                word.Append(c);
                hasWord = true;
            }
        }

        if (hasWord)
            words.Add(word.ToString());
        return words;
    }

    private static string CheckJson(string text)
    {
        try
        {
            using JsonDocument parsed = JsonDocument.Parse(text);
            return parsed.RootElement.GetRawText();
        }
        catch (JsonException e)
        {
            throw new UsageException($"the arguments are not JSON: {e.Message}", e);
        }
    }

    // A value that reads as JSON is taken as it is, anything else is a string.
    private static string Build(IEnumerable<string> pairs)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer))
        {
            writer.WriteStartObject();
            foreach (string pair in pairs)
            {
                int equals = pair.IndexOf('=', StringComparison.Ordinal);
                if (equals <= 0)
                    throw new UsageException($"'{pair}' is neither a JSON object nor NAME=VALUE");
                writer.WritePropertyName(pair[..equals]);
                WriteValue(writer, pair[(equals + 1)..]);
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void WriteValue(Utf8JsonWriter writer, string text)
    {
        switch (text)
        {
            case "on":
                writer.WriteBooleanValue(true);
                return;
            case "off":
                writer.WriteBooleanValue(false);
                return;
        }

        try
        {
            using JsonDocument parsed = JsonDocument.Parse(text);
            parsed.RootElement.WriteTo(writer);
        }
        catch (JsonException)
        {
            writer.WriteStringValue(text);
        }
    }
}
