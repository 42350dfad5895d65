namespace Kvm.Colo.Stream;

/// <summary>Number in element 0x08 (be16), with QEMU's names.</summary>
internal enum StreamCommand : ushort
{
    OpenReturnPath = 1,
    Ping = 2,
    PostcopyAdvise = 3,
    PostcopyListen = 4,
    PostcopyRun = 5,
    PostcopyRamDiscard = 6,
    Packaged = 7,
    EnableColo = 8,
    PostcopyResume = 9,
    ReceivedBitmap = 10,
    SwitchoverStart = 11,
}
