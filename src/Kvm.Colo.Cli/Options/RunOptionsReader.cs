using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Kvm;
using Kvm.Colo.Machine;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Qmp;

namespace Kvm.Colo.Cli.Options;

/// <summary>Checks what was given to <c>colo-vm run</c>. Opens nothing.</summary>
internal static class RunOptionsReader
{
    public const string DefaultMemory = "256M";
    public const int MaxHeartbeatTimeoutMs = 600_000;

    private const int MaxNameBytes = 255;

    /// <summary>Checks everything at once; the first problem is reported.</summary>
    /// <exception cref="UsageException">Something is missing, wrong, or does not go together.</exception>
    public static RunOptions Read(RunSettings given)
    {
        (MachineRole role, MigrationUri? peer) = ReadRole(given);
        (IReadOnlyList<DiskConfig> disks, IReadOnlyList<NetConfig> nets) =
            DeviceOptions.Read(given.Disk ?? [], given.Net ?? [], given.Name);
        bool isIncoming = role is MachineRole.Secondary or MachineRole.Incoming;
        if (given.Kernel is null && !isIncoming)
            throw new UsageException("nothing to boot: --kernel FILE is missing");
        if (given.Kernel is null && (given.Initrd ?? given.Append) is not null)
            throw new UsageException("--initrd and --append need --kernel");
        (SerialBackendSpec serial, string serialText, SerialBackendSpec? console) = ConsoleOptions.Read(given.Serial, given.Console);
        (bool hasGenerationId, Guid? generationId) = GuestOptions.ReadGenerationId(given.VmGenId);
        if (!MemorySize.TryParse(given.Memory ?? DefaultMemory, out ulong memory, out string problem))
            throw new UsageException($"--memory: {problem}");
        return new RunOptions
        {
            Kernel = given.Kernel,
            Initrd = given.Initrd,
            Append = given.Append,
            MemoryBytes = memory,
            Cpus = Within("--cpus", given.Cpus, 1, MachineConfig.MaxCpus) ?? 1,
            CpuModel = GuestOptions.CheckCpu(OneOf("--cpu", given.Cpu, CpuModel.Host), memory),
            Name = ReadName(given.Name),
            Uuid = ReadUuid(given.Uuid),
            Disks = disks,
            Nets = nets,
            Serial = serial,
            SerialText = serialText,
            Console = console,
            ConsoleText = given.Console,
            Balloon = GuestOptions.ReadBalloon(given.Balloon),
            HasGenerationId = hasGenerationId,
            GenerationId = generationId,
            Monitors = ReadMonitors(given.Qmp),
            Role = role,
            Peer = peer,
            CheckpointDelayMs = Within("--checkpoint-delay", given.CheckpointDelay, 0, int.MaxValue),
            HeartbeatTimeoutMs = Within("--heartbeat-timeout", given.HeartbeatTimeout, 1, MaxHeartbeatTimeoutMs),
            VerifyCheckpoints = given.VerifyCheckpoints ?? false,
            StartsPaused = given.Paused ?? false,
            NoShutdown = given.NoShutdown ?? false,
            NoReboot = given.NoReboot ?? false,
            DirtyTracking = OneOf("--dirty-tracking", given.DirtyTracking, DirtyTracking.Auto),
            Verbosity = OneOf("--log", given.Log, Verbosity.Info),
            TracePatterns = given.Trace ?? [],
            TraceFile = given.TraceFile,
        };
    }

    private static (MachineRole Role, MigrationUri? Peer) ReadRole(RunSettings given)
    {
        int count = (given.Primary is null ? 0 : 1) + (given.Secondary is null ? 0 : 1) + (given.Incoming is null ? 0 : 1);
        if (count > 1)
            throw new UsageException("--primary, --secondary and --incoming exclude each other");
        if (given.Primary is { } primary)
            return (MachineRole.Primary, ReadPairUri("--primary", primary));
        if (given.Secondary is { } secondary)
            return (MachineRole.Secondary, ReadPairUri("--secondary", secondary));
        if (given.Incoming is "defer")
            return (MachineRole.Incoming, null);
        return given.Incoming is { } incoming
            ? (MachineRole.Incoming, ReadUri("--incoming", incoming))
            : (MachineRole.Ordinary, null);
    }

    // A pair talks in both directions, and comes back after a break: files and commands do neither.
    private static MigrationUri ReadPairUri(string option, string text)
    {
        MigrationUri uri = ReadUri(option, text);
        return uri.Transport is MigrationTransport.Tcp or MigrationTransport.Unix
            ? uri
            : throw new UsageException($"{option} {text}: a pair needs tcp:HOST:PORT or unix:PATH");
    }

    private static MigrationUri ReadUri(string option, string text) =>
        MigrationUri.TryParse(text, out MigrationUri? uri, out string? problem)
        ? uri!
        : throw new UsageException($"{option}: {problem}");

    private static List<QmpAddress> ReadMonitors(IReadOnlyList<string>? texts)
    {
        List<QmpAddress> addresses = [];
        foreach (string text in texts ?? [])
        {
            if (!QmpAddress.TryParse(text, out QmpAddress address, out string problem))
                throw new UsageException($"--qmp: {problem}");
            addresses.Add(address);
        }

        return addresses;
    }

    private static string? ReadName(string? name)
    {
        if (name is null)
            return null;
        if (name.Length == 0 || System.Text.Encoding.UTF8.GetByteCount(name) > MaxNameBytes || name.Any(char.IsControl))
            throw new UsageException($"--name: a name has 1 to {MaxNameBytes} bytes and no control characters");
        return name;
    }

    private static Guid ReadUuid(string? text)
    {
        if (text is null)
            return Guid.Empty;
        return Guid.TryParseExact(text, "D", out Guid uuid)
            ? uuid
            : throw new UsageException($"--uuid: '{text}' is not a UUID such as 123e4567-e89b-12d3-a456-426614174000");
    }

    private static int? Within(string option, int? value, int least, int most) =>
        value is null || (value >= least && value <= most)
        ? value
        : throw new UsageException($"{option}: {value} is not between {least} and {most}");

    private static T OneOf<T>(string option, string? text, T fallback)
        where T : struct, Enum
    {
        if (text is null)
            return fallback;
        foreach (T value in Enum.GetValues<T>())
        {
            if (value.ToString().Equals(text, StringComparison.OrdinalIgnoreCase))
                return value;
        }

        string choices = string.Join(", ", Enum.GetNames<T>()).ToLowerInvariant();
        throw new UsageException($"{option}: '{text}' is not one of {choices}");
    }
}
