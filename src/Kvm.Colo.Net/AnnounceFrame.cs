using System.Buffers.Binary;

namespace Kvm.Colo.Net;

/// <summary>
/// The frame by which a host makes switches learn where a guest is now: a reverse ARP request in the guest's name (RFC 903),
/// which needs no knowledge of its IP addresses.
/// </summary>
internal static class AnnounceFrame
{
    /// <summary>Length with the <see cref="VnetHeader"/>: the shortest Ethernet frame.</summary>
    public const int SizeBytes = VnetHeader.SizeBytes + 60;

    private const ushort EtherTypeRarp = 0x8035;
    private const ushort HardwareEthernet = 1;
    private const ushort ProtocolIp4 = 0x0800;
    private const ushort OperationRequestReverse = 3;

    public static void Write(Span<byte> destination, MacAddress address)
    {
        destination[..SizeBytes].Clear();
        Span<byte> frame = destination[VnetHeader.SizeBytes..SizeBytes];
        MacAddress.Broadcast.Write(frame);
        address.Write(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], EtherTypeRarp);
        BinaryPrimitives.WriteUInt16BigEndian(frame[14..], HardwareEthernet);
        BinaryPrimitives.WriteUInt16BigEndian(frame[16..], ProtocolIp4);
        frame[18] = MacAddress.SizeBytes;
        frame[19] = sizeof(uint);
        BinaryPrimitives.WriteUInt16BigEndian(frame[20..], OperationRequestReverse);
        address.Write(frame[22..]);
        address.Write(frame[32..]);
    }
}
