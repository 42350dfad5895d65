namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>Which cells are measured, and how often.</summary>
internal static class Plan
{
    private const int PausedDelayMs = 100;

    // Long enough that every contestant's guest comes round between two checkpoints. QEMU's writes some 80 pages a millisecond for the first
    // time after one: with 100 ms its epochs held 2,500 to 8,000 pages, and those were compared with ten thousand of ours.
    private const int LargeDelayMs = 300;
    private const int HugeDelayMs = 600;

    /// <summary>In the order of their turns; a quick comparison does without QEMU over a UNIX socket.</summary>
    public static IReadOnlyList<Contestant> Contestants(bool isQuick) =>
        isQuick ? [Contestant.QemuShipped, Contestant.QemuNoDelay, Contestant.Colo] : Enum.GetValues<Contestant>();

    /// <summary>The cells of a full or a quick comparison; windows are <paramref name="seconds"/> long.</summary>
    public static IReadOnlyList<Cell> Cells(bool isQuick, double seconds)
    {
        List<Cell> cells =
        [
            Dirty("pages-16", 16, seconds),
            Dirty("pages-256", 256, seconds),
            Dirty("pages-10000", 10_000, seconds) with { DelayMs = LargeDelayMs },
            Dirty("back-to-back", 256, seconds) with { DelayMs = 1 },
            Takeover(256),
            Takeover(4096),
            Detection("death", CellEnd.Death),
            Detection("silence", CellEnd.Silence),
            new("output", Cell.Echo, EchoNetwork.GuestOptions, 256, 1, PausedDelayMs, seconds),
        ];
        if (isQuick)
            return cells;
        cells.AddRange(
        [
            Dirty("pages-1000", 1000, seconds),
            Dirty("pages-25600", 25_600, seconds) with { DelayMs = HugeDelayMs },
            Dirty("ram-64", 256, seconds) with { MemoryMiB = 64 },
            Dirty("ram-1024", 256, seconds) with { MemoryMiB = 1024 },
            Dirty("ram-4096", 256, seconds) with { MemoryMiB = 4096 },
            Paced("paced", "pages=256 tick=10", 256, seconds),
            Drifting("lock-step", "pages=1000 tick=20 fill=1", 1000, seconds),
            Drifting("diverging", "pages=1000 tick=20 fill=1 random=1 words=64", 1000, seconds),
            Drifting("diverging-whole", "pages=1000 tick=20 fill=1 random=1", 1000, seconds),
            Cpus(1, seconds),
            Cpus(2, seconds),
            new("one-page", "spin", "", 256, 1, PausedDelayMs, seconds, 1),
            Speed(2, seconds),
            Speed(10, seconds),
            Speed(50, seconds),
        ]);
        return cells;
    }

    /// <summary>Whether a subject can be measured in a cell.</summary>
    public static bool Fits(Cell cell, Subject subject) => !cell.IsEcho || !subject.IsQemu;

    private static Cell Dirty(string name, int pages, double seconds) =>
        new(name, "dirty", $"pages={pages} tick=0 report=500", 256, 1, PausedDelayMs, seconds, pages);

    private static Cell Paced(string name, string append, int pages, double seconds) =>
        new(name, "dirty", append + " report=500", 256, 1, PausedDelayMs, seconds, pages);

    // Its passes and the checkpoints meet at every phase, not at one that the start has settled.
    private static Cell Drifting(string name, string append, int pages, double seconds) =>
        Paced(name, append, pages, seconds) with { DelayMs = PausedDelayMs + 3 };

    private static Cell Cpus(int cpus, double seconds) =>
        new($"cpus-{cpus}", "smp", $"loop=1 cpus={cpus}", 256, cpus, PausedDelayMs, seconds);

    private static Cell Speed(int perSecond, double seconds) =>
        Dirty($"speed-{perSecond}", 16, seconds) with { DelayMs = 1000 / perSecond, MeasuresSpeed = true };

    private static Cell Takeover(int memoryMiB) =>
        new($"takeover-{memoryMiB}", "heartbeat", "period=2", memoryMiB, 1, PausedDelayMs, 1, End: CellEnd.Takeover);

    private static Cell Detection(string name, CellEnd end) =>
        new(name, "heartbeat", "period=2", 256, 1, PausedDelayMs, 1, End: end);
}
