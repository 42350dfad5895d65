using Kvm.Colo.Benchmarks.Comparison;

namespace Kvm.Colo.Benchmarks.Emulated;

/// <summary>What is measured inside an emulated host: Linux guests beside QEMU, and growth with RAM under both ways to track dirty pages.</summary>
internal static class EmulatedPlan
{
    // QEMU's pause with Linux is around half a second there.
    private const int LinuxDelayMs = 1000;
    private const int TinyDelayMs = 100;
    private const string SmallGrowth = "growth-256";

    /// <summary>QEMU as shipped and at its best, and colo-vm with the dirty ring, which it chooses there, and with the bitmap.</summary>
    public static IReadOnlyList<Subject> Subjects() =>
    [
        new(Contestant.QemuShipped),
        new(Contestant.QemuNoDelay),
        new(Contestant.Colo),
        new(Tracking.Ring, Contestant.Colo, [], ["--dirty-tracking", "ring"]),
        new(Tracking.Bitmap, Contestant.Colo, [], ["--dirty-tracking", "bitmap"]),
    ];

    public static IReadOnlyList<Cell> Cells(bool isQuick, double seconds)
    {
        Cell[] all =
        [
            Linux("linux-100", 100, 1, seconds),
            Linux("linux-1000", 1000, 1, seconds),
            Linux("linux-2cpus", 100, 2, seconds),
            Growing(256, seconds),
            Growing(4096, seconds),
        ];
        return isQuick ? [.. all.Where(static cell => cell.Name is "linux-100" || !cell.IsLinux)] : all;
    }

    /// <summary>
    /// Linux runs under everybody's default; RAM that grows is about our two ways to track dirty pages, with QEMU beside the smaller one: two
    /// of its VMMs and the secondary's copy of the larger do not fit into the host.
    /// </summary>
    public static bool Fits(Cell cell, Subject subject) =>
        cell.IsLinux == (subject.Options.Count == 0) || (cell.Name == SmallGrowth && subject.Contestant == Contestant.QemuNoDelay);

    private static Cell Linux(string name, int pages, int cpus, double seconds) =>
        new(name, Cell.Linux, $"pages={pages} tick=100 report=1000", 256, cpus, LinuxDelayMs, seconds, pages);

    private static Cell Growing(int memoryMiB, double seconds) =>
        new($"growth-{memoryMiB}", "dirty", "pages=256 tick=20 report=1000", memoryMiB, 1, TinyDelayMs, seconds, 256);
}
