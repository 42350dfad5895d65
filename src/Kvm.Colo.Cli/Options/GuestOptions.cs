using Kvm.Colo.Devices.Virtio.Balloon;
using Kvm.Colo.Kvm;

namespace Kvm.Colo.Cli.Options;

/// <summary>Reads <c>--balloon</c>, <c>--vmgenid</c> and the limits of <c>--cpu</c>.</summary>
internal static class GuestOptions
{
    /// <summary>The CPU model, which bounds the guest's RAM.</summary>
    /// <exception cref="UsageException">The guest is larger than the model's addresses.</exception>
    public static CpuModel CheckCpu(CpuModel model, ulong memoryBytes) =>
        model != CpuModel.Baseline || memoryBytes <= CpuBaseline.MaxMemoryBytes
        ? model
        : throw new UsageException($"--cpu baseline: its guests have at most {CpuBaseline.MaxMemoryBytes >> 30} GiB of RAM");

    /// <summary>The balloon asked for; null for none.</summary>
    /// <exception cref="UsageException">A property is wrong.</exception>
    public static VirtioBalloonConfig? ReadBalloon(string? text)
    {
        if (text is null or "none")
            return null;
        IReadOnlyDictionary<string, string> given =
            PropertyList.Parse("--balloon", text, firstName: "kind", "kind", "deflate-on-oom", "free-page-reporting");
        if (given.GetValueOrDefault("kind") != "virtio")
            throw new UsageException($"--balloon {text}: begin with virtio, as in --balloon virtio,deflate-on-oom=off");
        return new VirtioBalloonConfig(ReadSwitch(text, given, "deflate-on-oom"), ReadSwitch(text, given, "free-page-reporting"));
    }

    /// <summary>Whether there is a generation id, and the value it was given.</summary>
    /// <exception cref="UsageException">It is no GUID.</exception>
    public static (bool HasId, Guid? Id) ReadGenerationId(string? text) => text switch
    {
        null => (false, null),
        "auto" => (true, null),
        _ when Guid.TryParseExact(text, "D", out Guid id) => (true, id),
        _ => throw new UsageException($"--vmgenid: '{text}' is neither auto nor a GUID such as 123e4567-e89b-12d3-a456-426614174000"),
    };

    private static bool ReadSwitch(string text, IReadOnlyDictionary<string, string> given, string name) =>
        given.GetValueOrDefault(name) switch
        {
            null or "on" => true,
            "off" => false,
            var value => throw new UsageException($"--balloon {text}: {name} is on or off, not '{value}'"),
        };
}
