using System.Runtime.InteropServices;

namespace Kvm.Colo.Devices.Virtio;

/// <summary>struct virtq_desc (virtio 1.2, section 2.7.5); little-endian as the host.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct VirtqDescriptor
{
    public const int SizeBytes = 16;
    public const ushort FlagNext = 1;
    public const ushort FlagWrite = 2;
    public const ushort FlagIndirect = 4;

    public ulong Address;
    public uint Length;
    public ushort Flags;
    public ushort Next;
}
