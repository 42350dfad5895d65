using Kvm.Colo.Machine;
using Kvm.Colo.Machine.Loaders;
using Kvm.Colo.SystemTests.Support;

namespace Kvm.Colo.SystemTests;

/// <summary>
/// A guest of one sector that writes to any I/O port a test names: switches the serial line's FIFO on, says 'B' when it boots, takes port and value over the serial line
/// as six nibbles, writes, says '.', and so on.
/// </summary>
internal static class RunStateGuest
{
    public const ushort DebugExit = 0xF4;
    public const ushort Pvpanic = 0x505;
    public const ushort AcpiSleep = 0x600;
    public const ushort Keyboard = 0x64;
    public const byte SleepOff = 0x34;
    public const byte PulseReset = 0xFE;

    private static readonly byte[] s_code = Convert.FromHexString(
        "31c08ed88ed0bc007cbafa03b001eebaf803b042eee8150088c3e8100088c7e80b0089daeebaf803b02eeeebe8e80d00c0e00488c1e80500240f08c8c3bafd03eca80174fbb2f8ecc3");

    public static BootSource Source { get; } = new() { Kernel = Sector() };

    /// <summary>A machine with this guest, not started.</summary>
    public static TestMachine Create(Func<MachineConfig, MachineConfig>? adjust = null) =>
        new(null, memoryMiB: 4, adjust: config => (adjust ?? (static c => c))(config with { Boot = Source }));

    /// <summary>Starts the guest and waits until it can be told to write.</summary>
    public static void Boot(this TestMachine vm)
    {
        vm.Machine.Start();
        vm.WaitForCount('B', 1);
    }

    /// <summary>Has the guest write a byte to a port.</summary>
    public static void Out(this TestMachine vm, ushort port, byte value)
    {
        ReadOnlySpan<int> nibbles = [port >> 4, port, port >> 12, port >> 8, value >> 4, value];
        Span<char> text = stackalloc char[6];
        for (int i = 0; i < text.Length; i++)
            text[i] = (char)(0x40 | (nibbles[i] & 15));
        vm.Console.Type(new string(text));
    }

    /// <summary>The run state between two checkpoints.</summary>
    public static RunState Settled(this TestMachine vm) => vm.Machine.Control.Invoke(() => vm.Machine.State, TimeSpan.FromSeconds(10));

    /// <summary>Waits for a run state between two checkpoints.</summary>
    public static void WaitForState(this TestMachine vm, RunState state, int seconds = 20)
    {
        long end = Environment.TickCount64 + (seconds * 1000L);
        while (vm.Settled() != state)
        {
            if (Environment.TickCount64 > end)
                throw new TimeoutException($"the state is {vm.Machine.State}, not {state}; seen:\n{string.Join('\n', vm.Recorder.Events)}");
            Thread.Yield();
        }
    }

    /// <summary>Waits until the guest has said something a number of times.</summary>
    public static void WaitForCount(this TestMachine vm, char c, int count) =>
        vm.Console.WaitFor(text => text.Count(x => x == c) >= count, $"'{c}' {count} times");

    public static int CountEvents(this TestMachine vm, string prefix) =>
        vm.Recorder.Events.Count(e => e.StartsWith(prefix, StringComparison.Ordinal));

    private static byte[] Sector()
    {
        byte[] sector = new byte[512];
        s_code.CopyTo(sector, 0);
        (sector[510], sector[511]) = (0x55, 0xAA);
        return sector;
    }
}
