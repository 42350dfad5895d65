namespace Kvm.Colo.Stream;

/// <summary>be16 type of a return-path message, destination to source (MIG_RP_MSG_* in QEMU's words).</summary>
internal enum ReturnPathType : ushort
{
    Shut = 1,
    Pong = 2,
    RequestPagesInBlock = 3,
    RequestPages = 4,
    ReceivedBitmap = 5,
    ResumeAck = 6,
    SwitchoverAck = 7,
}
