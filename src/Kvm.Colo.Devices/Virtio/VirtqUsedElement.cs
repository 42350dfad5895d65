using System.Runtime.InteropServices;

namespace Kvm.Colo.Devices.Virtio;

/// <summary>struct virtq_used_elem (virtio 1.2, section 2.7.8).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct VirtqUsedElement
{
    public const int SizeBytes = 8;

    public uint Id;
    public uint Length;
}
