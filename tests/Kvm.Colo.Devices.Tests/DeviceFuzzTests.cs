using Kvm.Colo.Devices.Acpi;
using Kvm.Colo.Devices.Diagnostics;
using Kvm.Colo.Devices.I8042;
using Kvm.Colo.Devices.Rtc;
using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Devices.Tests.Support;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Devices.Tests;

/// <summary>
/// Every device under random accesses, loads of random bytes and resets: nothing thrown, and any state saves twice alike.
/// </summary>
public class DeviceFuzzTests
{
    private const int Steps = 200_000;

    public static TheoryData<string> Devices => ["serial", "i8042", "rtc", "acpi-power", "debug-exit", "pvpanic", "delay"];

    [Theory]
    [MemberData(nameof(Devices))]
    public void RandomOperations_NeverThrow_AndStateSavesLoadsAndSavesAlike(string name)
    {
        Random random = new(42);
        ManualTimeProvider time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        FakeSerialBackend backend = new();
        IPortDevice device = Create(name, time, backend);
        // Without room, so that a load does not send on the bytes it finds in the transmit FIFO.
        IPortDevice copy = Create(name, time, new FakeSerialBackend { Room = 0 });
        byte[] data = new byte[4];
        for (int step = 0; step < Steps; step++)
        {
            int width = 1 << random.Next(3);
            ushort offset = (ushort)(random.Next(20) == 0 ? random.Next(0x10000) : random.Next(0x40));
            random.NextBytes(data);
            if (random.Next(2) == 0)
                device.Write(offset, data.AsSpan(0, width));
            else
                device.Read(offset, data.AsSpan(0, width));
            Disturb(device, backend, time, random, data);
            if (step % 500 == 0 && device is IStateOwner owner)
                CompareCopies(owner, (IStateOwner)copy);
        }
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void RandomStates_AreLoadedOrRefused_NeverThrown(string name)
    {
        Random random = new(43);
        ManualTimeProvider time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        if (Create(name, time, new FakeSerialBackend()) is not IStateOwner owner)
            return;
        byte[] valid = StateTrip.Save(owner);
        byte[] port = new byte[1];
        for (int round = 0; round < 20_000; round++)
        {
            byte[] bytes = [.. valid];
            for (int i = random.Next(4); i >= 0; i--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            LoadVisitor load = new();
            load.Reset((byte[])[.. bytes, 0x7E], 0);
            owner.Staged.Visit(load);
            if (load.Status != FrameStatus.Ok || owner.Staged.Validate() is not null)
                continue;
            Assert.Null(owner.Apply());
            ((IPortDevice)owner).Read((ushort)random.Next(8), port);
            ((IPortDevice)owner).Write((ushort)random.Next(8), port);
        }
    }

    private static IPortDevice Create(string name, TimeProvider time, ISerialBackend backend)
    {
        FakeMachineControl control = new();
        FakeInterruptLine line = new();
        switch (name)
        {
            case "serial":
                Serial16550Device uart = new(new Serial16550Config(), line, backend);
                uart.Start();
                return uart;
            case "i8042":
                return new I8042Device(control);
            case "rtc":
                return new RtcDevice(new RtcConfig(256 << 20, 0), time);
            case "acpi-power":
                return new AcpiPowerDevice(new AcpiPowerConfig(), control, line);
            case "debug-exit":
                return new DebugExitDevice(control);
            case "pvpanic":
                return new PvpanicDevice(control);
            default:
                return new DelayPortDevice();
        }
    }

    private static void Disturb(
        IPortDevice device, FakeSerialBackend backend, ManualTimeProvider time, Random random, byte[] data)
    {
        time.Advance(TimeSpan.FromTicks(random.Next(10_000_000)));
        if (device is not Serial16550Device uart)
            return;
        if (random.Next(4) == 0)
            uart.Receive(data);
        if (random.Next(4) == 0)
            backend.GiveRoom(random.Next(20));
        if (random.Next(5000) == 0)
            uart.Reset();
    }

    private static void CompareCopies(IStateOwner owner, IStateOwner copy)
    {
        byte[] first = StateTrip.Save(owner);
        Assert.Null(StateTrip.Load(copy, first));
        Assert.Equal(first, StateTrip.Save(copy));
    }
}
