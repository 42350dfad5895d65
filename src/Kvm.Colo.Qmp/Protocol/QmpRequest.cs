using System.Text.Json;

namespace Kvm.Colo.Qmp.Protocol;

/// <summary>One request as read: a JSON value, or what was wrong with the text. Its owner disposes it after the reply.</summary>
internal sealed class QmpRequest : IDisposable
{
    private readonly JsonDocument? _document;

    private QmpRequest(JsonDocument? document, string? syntaxError)
    {
        _document = document;
        SyntaxError = syntaxError;
    }

    /// <summary>Null when the text was JSON.</summary>
    public string? SyntaxError { get; }

    public JsonElement Root => _document!.RootElement;

    public bool HasId => TryGetMember("id", out _);

    /// <summary>True for a request that wants to overtake the queue.</summary>
    public bool IsOutOfBand => TryGetMember("exec-oob", out _) && !TryGetMember("execute", out _);

    public static QmpRequest Broken(string error) => new(document: null, error);

    public static QmpRequest Parse(ReadOnlyMemory<byte> json, JsonDocumentOptions options)
    {
        try
        {
            return new QmpRequest(JsonDocument.Parse(json.ToArray(), options), syntaxError: null);
        }
        catch (JsonException)
        {
            // The message reader has checked everything else.
            return Broken("JSON parse error, duplicate key");
        }
    }

    public bool TryGetMember(string name, out JsonElement value)
    {
        value = default;
        return _document is not null && Root.ValueKind == JsonValueKind.Object && Root.TryGetProperty(name, out value);
    }

    public void Dispose() => _document?.Dispose();
}
