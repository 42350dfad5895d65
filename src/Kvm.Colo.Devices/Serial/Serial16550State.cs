using Kvm.Colo.Stream;
using static Kvm.Colo.Devices.Serial.Serial16550Registers;

namespace Kvm.Colo.Devices.Serial;

/// <summary>
/// What a 16550 is in the middle of: registers, both FIFOs, the pending transmit interrupt, and on a primary the bytes it sent
/// in this epoch.
/// </summary>
internal sealed class Serial16550State : DeviceState
{
    public byte InterruptEnable;
    public byte FifoControl;
    public byte LineControl;
    public byte ModemControl;
    public byte LineErrors;
    public byte ModemStatus;
    public byte Scratch;
    public ushort Divisor;
    public bool TransmitInterruptPending;
    public readonly byte[] Receive = new byte[Serial16550Device.FifoBytes];
    public int ReceiveCount;
    public readonly byte[] Transmit = new byte[Serial16550Device.FifoBytes];
    public int TransmitCount;
    public bool HasEpochLog;
    public readonly byte[] EpochLog = new byte[SerialOutput.EpochLogBytes];
    public int EpochLogCount;
    public ulong EpochLogLostBytes;

    public override void Visit(StateVisitor v)
    {
        v.U8("ier", ref InterruptEnable);
        v.U8("fcr", ref FifoControl);
        v.U8("lcr", ref LineControl);
        v.U8("mcr", ref ModemControl);
        v.U8("lsr-errors", ref LineErrors);
        v.U8("msr", ref ModemStatus);
        v.U8("scr", ref Scratch);
        v.U16("divisor", ref Divisor);
        v.Bool("thr-interrupt", ref TransmitInterruptPending);
        v.VariableBytes("receive-fifo", Receive, ref ReceiveCount);
        v.VariableBytes("transmit-fifo", Transmit, ref TransmitCount);
        HasEpochLog = v.Subsection("serial/epoch-log", 1, HasEpochLog);
        if (HasEpochLog)
        {
            v.VariableBytes("output", EpochLog, ref EpochLogCount);
            v.U64("lost", ref EpochLogLostBytes);
            v.EndSubsection();
        }
    }

    public override string? Validate()
    {
        int depth = (FifoControl & FcrEnable) != 0 ? Serial16550Device.FifoBytes : 1;
        if ((InterruptEnable & ~IerMask) != 0 || (FifoControl & ~FcrKeptMask) != 0 || (ModemControl & ~McrMask) != 0)
            return "a register has bits a 16550 does not have";
        if ((LineErrors & ~LsrErrorMask) != 0)
            return "the line errors hold other bits";
        if (ReceiveCount > depth || TransmitCount > depth)
            return $"{Math.Max(ReceiveCount, TransmitCount)} bytes in a FIFO of {depth}";
        return null;
    }
}
