using Kvm.Colo.Stream;

namespace Kvm.Colo.Devices.I8042;

/// <summary>Registers of the keyboard controller.</summary>
internal sealed class I8042State : DeviceState
{
    public byte CommandByte;
    public byte OutputPort;
    public byte Status;
    public byte Output;
    public byte PendingCommand;

    public override void Visit(StateVisitor v)
    {
        v.U8("command-byte", ref CommandByte);
        v.U8("output-port", ref OutputPort);
        v.U8("status", ref Status);
        v.U8("output", ref Output);
        v.U8("pending-command", ref PendingCommand);
    }
}
