using System.Text.Json;
using Kvm.Colo.Benchmarks.Comparison;

namespace Kvm.Colo.Benchmarks.Ablation;

/// <summary>Which techniques are taken away, one at a time, and where their worth is looked for.</summary>
internal static class AblationPlan
{
    /// <summary>Everything as it comes.</summary>
    public const string AllOn = "all on";

    private const string Prefix = "__org.colo-vm_";
    private const string DeltaCache = Prefix + "delta-cache-size";
    private const string StrictPause = "x-colo-strict-pause";

    /// <summary>
    /// colo-vm as it comes, then once without each technique that has a switch: a parameter of our own that is a boolean and true, the
    /// delta cache, and the early end of the pause. New techniques with such a switch are found by themselves.
    /// </summary>
    /// <param name="parameters">The answer of <c>query-migrate-parameters</c>.</param>
    public static IReadOnlyList<Subject> Variants(JsonElement parameters)
    {
        List<Subject> variants = [Variant(AllOn)];
        foreach (JsonProperty parameter in parameters.EnumerateObject())
        {
            if (parameter.Name == DeltaCache)
                variants.Add(Variant("without deltas", (parameter.Name, "0")));
            else if (parameter.Name == StrictPause)
                variants.Add(Variant("without early resume", (parameter.Name, "true")));
            else if (parameter.Name.StartsWith(Prefix, StringComparison.Ordinal) && parameter.Value.ValueKind == JsonValueKind.True)
                variants.Add(Variant($"without {parameter.Name[Prefix.Length..]}", (parameter.Name, "false")));
        }

        return variants;
    }

    public static IReadOnlyList<Cell> Cells(bool isQuick, double seconds)
    {
        string[] names = isQuick ? ["pages-10000", "lock-step", "diverging"] : ["pages-256", "pages-10000", "back-to-back", "lock-step", "diverging"];
        return [.. Plan.Cells(isQuick: false, seconds).Where(cell => names.Contains(cell.Name))];
    }

    private static Subject Variant(string label, params (string, string)[] parameters) => new(label, Contestant.Colo, parameters, []);
}
