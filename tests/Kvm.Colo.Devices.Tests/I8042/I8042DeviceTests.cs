using Kvm.Colo.Devices.I8042;
using Kvm.Colo.Devices.Tests.Support;

namespace Kvm.Colo.Devices.Tests.I8042;

public class I8042DeviceTests
{
    private readonly FakeMachineControl _control = new();
    private readonly PortBus _bus;
    private readonly I8042Device _device;

    public I8042DeviceTests()
    {
        _device = new I8042Device(_control);
        _bus = new PortBus(_device.Ports, new CountingLogger(), TimeProvider.System);
    }

    [Theory]
    [InlineData(0x64, 0xFE)]
    [InlineData(0x64, 0xF0)]
    [InlineData(0x92, 0x01)]
    [InlineData(0x92, 0x03)]
    public void ResetRequests_ReachTheMachine(int port, int value)
    {
        _bus.Write((ushort)port, [(byte)value]);
        Assert.Equal(["reset"], _control.Requests);
    }

    [Fact]
    public void OutputPort_ResetsWithBit0Clear_AndKeepsA20()
    {
        _bus.Write(0x64, [0xD1]);
        _bus.Write(0x60, [0xDF]);
        Assert.Empty(_control.Requests);
        _bus.Write(0x64, [0xD1]);
        _bus.Write(0x60, [0xDD]);
        _bus.Write(0x64, [0xD0]);
        Assert.Equal(0x02, In(0x60) & 0x02);
        Assert.Equal(0x02, In(0x92));
        _bus.Write(0x64, [0xD1]);
        _bus.Write(0x60, [0xDE]);
        Assert.Equal(["reset"], _control.Requests);
    }

    [Fact]
    public void SelfTest_Answers_AndStatusFollows()
    {
        Assert.Equal(0x14, In(0x64));
        _bus.Write(0x64, [0xAA]);
        Assert.Equal(0x1D, In(0x64));
        Assert.Equal(0x55, In(0x60));
        Assert.Equal(0x00, In(0x64) & 0x01);
    }

    [Fact]
    public void CommandByte_IsWrittenAndRead()
    {
        _bus.Write(0x64, [0x60]);
        _bus.Write(0x60, [0x47]);
        _bus.Write(0x64, [0x20]);
        Assert.Equal(0x47, In(0x60));
    }

    [Fact]
    public void KeyboardCommand_TimesOut_BecauseNobodyIsPluggedIn()
    {
        _bus.Write(0x60, [0xF2]);
        Assert.Equal(0x41, In(0x64) & 0x41);
        Assert.Equal(0xFE, In(0x60));
        Assert.Equal(0, In(0x64) & 0x41);
    }

    private byte In(ushort port)
    {
        byte[] data = new byte[1];
        _bus.Read(port, data);
        return data[0];
    }
}
