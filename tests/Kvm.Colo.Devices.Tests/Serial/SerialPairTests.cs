using System.Text;
using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Devices.Tests.Support;

namespace Kvm.Colo.Devices.Tests.Serial;

/// <summary>Two ports as primary and secondary: what the secondary's console shows, whatever happens when.</summary>
public class SerialPairTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void SecondaryConsole_IsCommittedPrefixPlusItsContinuation(int seed)
    {
        Random random = new(seed);
        for (int round = 0; round < 200; round++)
            RunOnce(random);
    }

    [Fact]
    public void Input_WaitsOnASpeculatingSecondary()
    {
        FakeSerialBackend backend = new();
        Serial16550Device uart = NewPort(backend);
        uart.Output.StartSpeculating();
        Assert.Equal(0, uart.Receive("typed"u8));
        uart.Output.GoDirect();
        Assert.Equal(1, backend.Resumes);
        Assert.Equal(1, uart.Receive("typed"u8));
    }

    [Fact]
    public void SpeculatingGuest_IsHeldBack_AndGoesOnAfterACommit()
    {
        Serial16550Device primary = NewPort(new FakeSerialBackend());
        Serial16550Device secondary = NewPort(new FakeSerialBackend());
        primary.Output.StartRecording();
        secondary.Output.StartSpeculating();
        for (int i = 0; i <= SerialOutput.SpeculativeBytes; i++)
            secondary.Write(0, [1]);
        Assert.Equal(0, LineStatus(secondary) & 0x20);
        Assert.Null(StateTrip.Load(secondary, StateTrip.Save(primary)));
        Assert.Equal(0x20, LineStatus(secondary) & 0x20);
    }

    [Fact]
    public void EpochLogLoss_Travels()
    {
        Serial16550Device primary = NewPort(new FakeSerialBackend());
        FakeSerialBackend backend = new();
        Serial16550Device secondary = NewPort(backend);
        primary.Output.StartRecording();
        secondary.Output.StartSpeculating();
        for (int i = 0; i < SerialOutput.EpochLogBytes + 7; i++)
            primary.Write(0, [(byte)i]);
        Assert.Null(StateTrip.Load(secondary, StateTrip.Save(primary)));
        Assert.Equal(7ul, secondary.Output.LostBytes);
        Assert.Equal(SerialOutput.EpochLogBytes, backend.Bytes.Length);
    }

    // Both guests say the same deterministic text; the secondary may run ahead or lag behind within an epoch.
    private static void RunOnce(Random random)
    {
        FakeSerialBackend primaryConsole = new();
        FakeSerialBackend secondaryConsole = new();
        Serial16550Device primary = NewPort(primaryConsole);
        Serial16550Device secondary = NewPort(secondaryConsole);
        int said = 0;
        Say(primary, ref said, random.Next(30), primaryConsole, random);
        int unprotected = primaryConsole.Bytes.Length;
        primary.Output.StartRecording();
        secondary.Output.StartSpeculating();
        int secondarySaid = said;
        int epochs = random.Next(1, 6);
        for (int epoch = 0; epoch < epochs; epoch++)
        {
            Assert.Null(StateTrip.Load(secondary, StateTrip.Save(primary)));
            secondarySaid = said;
            if (epoch == epochs - 1)
                break;
            Say(primary, ref said, random.Next(60), primaryConsole, random);
            Say(secondary, ref secondarySaid, random.Next(60), secondaryConsole, random);
        }

        Say(secondary, ref secondarySaid, random.Next(60), secondaryConsole, random);
        secondaryConsole.GiveRoom(random.Next(5));
        secondary.Output.GoDirect();
        secondaryConsole.GiveRoom(int.MaxValue);
        Say(secondary, ref secondarySaid, random.Next(60), secondaryConsole, random);
        secondaryConsole.GiveRoom(int.MaxValue);

        byte[] expected = new byte[secondarySaid - unprotected];
        for (int i = 0; i < expected.Length; i++)
            expected[i] = Text(unprotected + i);
        Assert.Equal(Encoding.ASCII.GetString(expected), secondaryConsole.Text);
    }

    private static void Say(Serial16550Device port, ref int said, int count, FakeSerialBackend console, Random random)
    {
        if (random.Next(3) == 0)
            console.Room = random.Next(10);
        for (int i = 0; i < count; i++)
        {
            // As a driver does: only with THRE set.
            if ((LineStatus(port) & 0x20) == 0)
            {
                if (random.Next(2) == 0)
                    return;
                console.GiveRoom(random.Next(40));
                i--;
                continue;
            }

            port.Write(0, [Text(said++)]);
        }
    }

    private static byte Text(int index) => (byte)('A' + (index % 59));

    private static byte LineStatus(Serial16550Device port)
    {
        byte[] status = new byte[1];
        port.Read(5, status);
        return status[0];
    }

    private static Serial16550Device NewPort(FakeSerialBackend backend)
    {
        Serial16550Device port = new(new Serial16550Config(), new FakeInterruptLine(), backend);
        port.Start();
        return port;
    }
}
