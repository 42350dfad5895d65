using System.Runtime.InteropServices;

namespace Kvm.Colo.Memory;

/// <summary>
/// One record of <see cref="PageStaging"/>: a page's number, what its owner calls it, and some bytes. Few of them lie in the head, which
/// shares a cache line with nothing else; more fill the record's room for a page, which nobody touches until then.
/// </summary>
internal readonly ref struct PageRecord(Span<byte> head, Span<byte> room)
{
    public const int HeadBytes = 64;

    /// <summary>Up to here a payload lies in the head.</summary>
    public const int MaxInlineBytes = HeadBytes - PayloadStart;

    private const int LengthStart = sizeof(ulong);
    private const int TagStart = LengthStart + sizeof(ushort);
    private const int PayloadStart = 16;

    private readonly Span<byte> _head = head;
    private readonly Span<byte> _room = room;

    public ulong Page => MemoryMarshal.Read<ulong>(_head);

    /// <summary>What the owner said of it.</summary>
    public byte Tag => _head[TagStart];

    /// <summary>What was written into it, as long as was said; at most a page.</summary>
    public Span<byte> Payload => Place(MemoryMarshal.Read<ushort>(_head[LengthStart..]));

    /// <summary>Makes it a record of that page with room for so many bytes, and returns the room.</summary>
    /// <exception cref="ArgumentOutOfRangeException">More bytes than a page has; nothing was changed.</exception>
    public Span<byte> Write(ulong page, byte tag, int length)
    {
        Span<byte> place = Place(length);
        MemoryMarshal.Write(_head, page);
        MemoryMarshal.Write(_head[LengthStart..], (ushort)length);
        _head[TagStart] = tag;
        return place;
    }

    private Span<byte> Place(int length) => (uint)length <= MaxInlineBytes ? _head.Slice(PayloadStart, length) : _room[..length];
}
