using System.Text.Json.Serialization;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>What happens to the primary when a cell's window is over.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CellEnd>))]
internal enum CellEnd
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>It is killed, the secondary told to take over and then protected again.</summary>
    Takeover,

    /// <summary>It is killed, and the secondary left to notice.</summary>
    Death,

    /// <summary>It stops without a word, its connection open, and the secondary is left to notice.</summary>
    Silence,
}
