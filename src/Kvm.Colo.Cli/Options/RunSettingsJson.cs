using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kvm.Colo.Cli.Options;

/// <summary>Source-generated reading of <c>--config</c>.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true)]
[JsonSerializable(typeof(RunSettings))]
internal sealed partial class RunSettingsJson : JsonSerializerContext;
