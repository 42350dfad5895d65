namespace Kvm.Colo.Devices.Serial;

/// <summary>Register offsets and bits of a 16550A (National Semiconductor PC16550D data sheet, tables II to IV).</summary>
internal static class Serial16550Registers
{
    public const int Data = 0;
    public const int InterruptEnable = 1;
    public const int InterruptIdentification = 2;
    public const int LineControl = 3;
    public const int ModemControl = 4;
    public const int LineStatus = 5;
    public const int ModemStatus = 6;
    public const int Scratch = 7;

    public const byte IerReceive = 0x01;
    public const byte IerTransmit = 0x02;
    public const byte IerLineStatus = 0x04;
    public const byte IerModemStatus = 0x08;
    public const byte IerMask = 0x0F;

    public const byte IirNone = 0x01;
    public const byte IirModemStatus = 0x00;
    public const byte IirTransmit = 0x02;
    public const byte IirReceive = 0x04;
    public const byte IirLineStatus = 0x06;
    public const byte IirReceiveTimeout = 0x0C;
    public const byte IirFifoEnabled = 0xC0;

    public const byte FcrEnable = 0x01;
    public const byte FcrResetReceive = 0x02;
    public const byte FcrResetTransmit = 0x04;
    public const byte FcrTriggerMask = 0xC0;
    public const byte FcrKeptMask = FcrEnable | FcrTriggerMask;

    public const byte LcrDivisorAccess = 0x80;

    public const byte McrDtr = 0x01;
    public const byte McrRts = 0x02;
    public const byte McrOut1 = 0x04;
    public const byte McrOut2 = 0x08;
    public const byte McrLoopback = 0x10;
    public const byte McrMask = 0x1F;

    public const byte LsrDataReady = 0x01;
    public const byte LsrOverrun = 0x02;
    public const byte LsrErrorMask = 0x1E;
    public const byte LsrTransmitEmpty = 0x20;
    public const byte LsrIdle = 0x40;

    public const byte MsrDeltaMask = 0x0F;
    public const byte MsrRingDelta = 0x04;
    public const byte MsrCts = 0x10;
    public const byte MsrDsr = 0x20;
    public const byte MsrRing = 0x40;
    public const byte MsrCarrier = 0x80;
}
