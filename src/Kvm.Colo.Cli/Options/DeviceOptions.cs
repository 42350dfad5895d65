using Kvm.Colo.Machine;
using Kvm.Colo.Net;

namespace Kvm.Colo.Cli.Options;

/// <summary>Reads <c>--disk</c> and <c>--net</c>. Opens nothing.</summary>
internal static class DeviceOptions
{
    private const int MaxIdLength = 20;

    /// <summary>Checks both lists; ids are unique among them.</summary>
    /// <exception cref="UsageException">A property is missing or wrong, or there are too many devices.</exception>
    public static (IReadOnlyList<DiskConfig> Disks, IReadOnlyList<NetConfig> Nets) Read(
        IReadOnlyList<string> disks, IReadOnlyList<string> nets, string? machineName)
    {
        if (disks.Count + nets.Count > MachineConfig.MaxDisksAndNets)
            throw new UsageException($"--disk and --net: a machine has room for {MachineConfig.MaxDisksAndNets} in all");
        HashSet<string> ids = new(StringComparer.Ordinal);
        List<DiskConfig> diskConfigs = [];
        foreach (string text in disks)
            diskConfigs.Add(ReadDisk(text, diskConfigs.Count, ids));
        List<NetConfig> netConfigs = [];
        foreach (string text in nets)
            netConfigs.Add(ReadNet(text, netConfigs.Count, ids, machineName));
        return (diskConfigs, netConfigs);
    }

    private static DiskConfig ReadDisk(string text, int index, HashSet<string> ids)
    {
        IReadOnlyDictionary<string, string> given =
            PropertyList.Parse("--disk", text, firstName: null, "file", "id", "format", "readonly");
        if (!given.TryGetValue("file", out string? path) || path.Length == 0)
            throw new UsageException($"--disk {text}: file=PATH is missing");
        if (given.TryGetValue("format", out string? format) && format != "raw")
            throw new UsageException(
                $"--disk {text}: there is no format '{format}', only raw (convert with: qemu-img convert -O raw)");
        bool isReadOnly = given.TryGetValue("readonly", out string? readOnly) && readOnly switch
        {
            "on" => true,
            "off" => false,
            _ => throw new UsageException($"--disk {text}: readonly is on or off, not '{readOnly}'"),
        };
        return new DiskConfig(path, ReadId("--disk", text, given, $"disk{index}", ids), isReadOnly);
    }

    private static NetConfig ReadNet(string text, int index, HashSet<string> ids, string? machineName)
    {
        IReadOnlyDictionary<string, string> given =
            PropertyList.Parse("--net", text, firstName: "kind", "kind", "ifname", "mac", "id");
        if (!given.TryGetValue("kind", out string? kind) || kind != "tap")
            throw new UsageException($"--net {text}: begin with tap, as in --net tap,ifname=NAME");
        string id = ReadId("--net", text, given, $"net{index}", ids);
        MacAddress address = MacAddress.Derive($"{machineName}/{id}");
        if (given.TryGetValue("mac", out string? mac) && !MacAddress.TryParse(mac, out address))
            throw new UsageException($"--net {text}: '{mac}' is not the address of one station, such as 52:54:00:12:34:56");
        return new NetConfig(id, given.GetValueOrDefault("ifname"), address);
    }

    // The id is the disk's serial number in the guest too, which has 20 characters.
    private static string ReadId(string option, string text, IReadOnlyDictionary<string, string> given, string fallback,
        HashSet<string> ids)
    {
        string id = given.GetValueOrDefault("id") ?? fallback;
        if (id.Length is 0 or > MaxIdLength || !id.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            throw new UsageException(
                $"{option} {text}: an id has 1 to {MaxIdLength} letters, digits, dots, dashes and underscores");
        if (!ids.Add(id))
            throw new UsageException($"{option} {text}: the id '{id}' is taken");
        return id;
    }
}
