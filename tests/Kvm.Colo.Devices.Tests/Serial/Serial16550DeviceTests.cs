using System.Text;
using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Devices.Tests.Support;

namespace Kvm.Colo.Devices.Tests.Serial;

public class Serial16550DeviceTests
{
    private const int Data = 0;
    private const int Ier = 1;
    private const int Iir = 2;
    private const int Fcr = 2;
    private const int Lcr = 3;
    private const int Mcr = 4;
    private const int Lsr = 5;
    private const int Msr = 6;

    private readonly FakeInterruptLine _line = new();
    private readonly FakeSerialBackend _backend = new();
    private readonly Serial16550Device _uart;

    public Serial16550DeviceTests()
    {
        _uart = new Serial16550Device(new Serial16550Config(), _line, _backend);
        _uart.Start();
    }

    [Fact]
    public void PowerOn_IsIdle()
    {
        Assert.Equal(0x60, In(Lsr));
        Assert.Equal(0x01, In(Iir));
        Assert.Equal(0xB0, In(Msr));
        Assert.False(_line.Level);
    }

    [Fact]
    public void Write_SendsAtOnce()
    {
        foreach (byte b in "hello"u8)
            Out(Data, b);
        Assert.Equal("hello", _backend.Text);
        Assert.Equal(0x60, In(Lsr));
    }

    [Fact]
    public void DivisorLatch_TakesThePlaceOfDataAndIer()
    {
        Out(Ier, 0x05);
        Out(Lcr, 0x83);
        Out(Data, 0x34);
        Out(Ier, 0x12);
        Assert.Equal(0x34, In(Data));
        Assert.Equal(0x12, In(Ier));
        Out(Lcr, 0x03);
        Assert.Equal(0x05, In(Ier));
        Assert.Equal("", _backend.Text);
    }

    [Fact]
    public void TransmitInterrupt_RisesWithItsEnableBit_AndAfterEachByte()
    {
        Out(Mcr, 0x08);
        Out(Ier, 0x02);
        Assert.True(_line.Level);
        Assert.Equal(0x02, In(Iir));
        Assert.False(_line.Level);
        Assert.Equal(0x01, In(Iir));
        Out(Data, (byte)'x');
        Assert.True(_line.Level);
        Assert.Equal(2, _line.RisingEdges);
        Out(Ier, 0);
        Assert.False(_line.Level);
        Out(Ier, 0x02);
        Assert.True(_line.Level);
    }

    [Fact]
    public void Line_IsGatedByOut2()
    {
        Out(Ier, 0x02);
        Assert.False(_line.Level);
        Assert.Equal(0x02, In(Iir));
        Out(Ier, 0);
        Out(Ier, 0x02);
        Out(Mcr, 0x08);
        Assert.True(_line.Level);
        Out(Mcr, 0);
        Assert.False(_line.Level);
    }

    [Fact]
    public void Receive_InterruptsAndReadsBack()
    {
        Out(Mcr, 0x08);
        Out(Ier, 0x01);
        Assert.Equal(1, _uart.Receive("ab"u8));
        Assert.True(_line.Level);
        Assert.Equal(0x04, In(Iir));
        Assert.Equal(0x61, In(Lsr));
        Assert.Equal((byte)'a', In(Data));
        Assert.False(_line.Level);
        Assert.Equal(1, _backend.Resumes);
        Assert.Equal(0x60, In(Lsr));
    }

    [Theory]
    [InlineData(0x01, 1)]
    [InlineData(0x41, 4)]
    [InlineData(0x81, 8)]
    [InlineData(0xC1, 14)]
    public void Fifo_GivesTimeoutBelowItsTrigger_AndDataFromItOn(int fcr, int trigger)
    {
        Out(Fcr, (byte)fcr);
        Out(Ier, 0x01);
        for (int i = 1; i < trigger; i++)
        {
            _uart.Receive([1]);
            Assert.Equal(0xCC, In(Iir));
        }

        _uart.Receive([1]);
        Assert.Equal(0xC4, In(Iir));
    }

    [Fact]
    public void Fifo_HoldsSixteen_AndRefusesMore()
    {
        Out(Fcr, 0x01);
        byte[] data = Encoding.ASCII.GetBytes("0123456789abcdefgh");
        Assert.Equal(16, _uart.Receive(data));
        Assert.Equal(0, _uart.Receive(data.AsSpan(16)));
        for (int i = 0; i < 15; i++)
            Assert.Equal(data[i], In(Data));
        Assert.Equal(0, _backend.Resumes);
        Assert.Equal(data[15], In(Data));
        Assert.Equal(1, _backend.Resumes);
        Assert.Equal(0, In(Lsr) & 0x02);
    }

    [Fact]
    public void FifoControl_ClearsFifos()
    {
        Out(Fcr, 0x01);
        _uart.Receive("abc"u8);
        Out(Fcr, 0x03);
        Assert.Equal(0x60, In(Lsr));
        _uart.Receive("abc"u8);
        Out(Fcr, 0x00);
        Assert.Equal(0x60, In(Lsr));
        Assert.Equal(0x01, In(Iir));
    }

    [Fact]
    public void BackPressure_ClearsThre_UntilTheBackendHasRoom()
    {
        Out(Mcr, 0x08);
        Out(Fcr, 0x01);
        Out(Ier, 0x02);
        In(Iir);
        _backend.Room = 1;
        Out(Data, (byte)'a');
        In(Iir);
        Out(Data, (byte)'b');
        Out(Data, (byte)'c');
        Assert.Equal(0, In(Lsr) & 0x60);
        Assert.False(_line.Level);
        _backend.GiveRoom(100);
        Assert.Equal(0x60, In(Lsr) & 0x60);
        Assert.True(_line.Level);
        Assert.Equal("abc", _backend.Text);
    }

    [Fact]
    public void TransmitterOverrun_LosesNewBytes_AndCounts()
    {
        Out(Fcr, 0x01);
        _backend.Room = 0;
        for (int i = 0; i < 20; i++)
            Out(Data, (byte)('a' + i));
        _backend.GiveRoom(100);
        Assert.Equal("abcdefghijklmnop", _backend.Text);
        Assert.Equal(4, _uart.OverrunBytes);
    }

    [Fact]
    public void Loopback_ReturnsBytes_AndModemLines()
    {
        Out(Mcr, 0x10);
        Assert.Equal(0x00, In(Msr) & 0xF0);
        Out(Mcr, 0x1A);
        Assert.Equal(0x90, In(Msr) & 0xF0);
        Out(Data, 0xAE);
        Assert.Equal("", _backend.Text);
        Assert.Equal(0xAE, In(Data));
        Assert.Equal(0, _uart.Receive("x"u8));
        Out(Mcr, 0);
        Assert.Equal(1, _backend.Resumes);
        Assert.Equal(1, _uart.Receive("x"u8));
    }

    [Fact]
    public void Loopback_Overrun_SetsErrorOnce_AndInterrupts()
    {
        Out(Mcr, 0x18);
        Out(Ier, 0x04);
        Out(Data, 1);
        Out(Data, 2);
        Assert.True(_line.Level);
        Assert.Equal(0x06, In(Iir));
        Assert.Equal(0x63, In(Lsr));
        Assert.False(_line.Level);
        Assert.Equal(0x61, In(Lsr));
        Assert.Equal(2, In(Data));
    }

    [Fact]
    public void ModemStatus_ReportsDeltas_Once()
    {
        Out(Mcr, 0x10);
        In(Msr);
        Out(Mcr, 0x14);
        Assert.Equal(0x40, In(Msr));
        Out(Mcr, 0x18);
        Assert.Equal(0x8C, In(Msr));
        Assert.Equal(0x80, In(Msr));
        Out(Ier, 0x08);
        Out(Mcr, 0x12);
        Assert.Equal(0x00, In(Iir));
    }

    [Fact]
    public void Scratch_KeepsItsByte()
    {
        Out(7, 0x5A);
        Assert.Equal(0x5A, In(7));
    }

    [Fact]
    public void Reset_ReturnsToPowerOn()
    {
        Out(Mcr, 0x08);
        Out(Ier, 0x03);
        Out(Fcr, 0xC1);
        Out(Lcr, 0x83);
        Out(7, 1);
        _uart.Receive("abc"u8);
        _uart.Reset();
        Assert.False(_line.Level);
        Serial16550Device fresh = new(new Serial16550Config(), new FakeInterruptLine(), new FakeSerialBackend());
        Assert.Equal(StateTrip.Save(fresh), StateTrip.Save(_uart));
    }

    [Fact]
    public void PendingTransmitInterrupt_SurvivesALoad()
    {
        Out(Mcr, 0x08);
        Out(Ier, 0x02);
        byte[] saved = StateTrip.Save(_uart);
        FakeInterruptLine line = new();
        Serial16550Device other = new(new Serial16550Config(), line, new FakeSerialBackend());
        Assert.Null(StateTrip.Load(other, saved));
        Assert.True(line.Level);
    }

    [Fact]
    public void Load_RefusesWhatNo16550CouldHold()
    {
        byte[] saved = StateTrip.Save(_uart);
        foreach (int at in (int[])[0, 1, 3, 4])
        {
            byte[] bad = [.. saved];
            bad[at] = 0xFF;
            Assert.NotNull(StateTrip.Load(_uart, bad));
        }

        Out(Fcr, 1);
        _uart.Receive("abc"u8);
        byte[] full = StateTrip.Save(_uart);
        full[1] = 0;
        Assert.Contains("FIFO of 1", StateTrip.Load(_uart, full), StringComparison.Ordinal);
    }

    [Fact]
    public void RegisterAccess_AllocatesNothing()
    {
        NullSerialBackend backend = new();
        Serial16550Device uart = new(new Serial16550Config(), _line, backend);
        byte[] one = [0x41];
        uart.Write(Data, one);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            uart.Write(Data, one);
            uart.Read(Lsr, one);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private byte In(int register)
    {
        byte[] data = new byte[1];
        _uart.Read((ushort)register, data);
        return data[0];
    }

    private void Out(int register, byte value) => _uart.Write((ushort)register, [value]);
}
