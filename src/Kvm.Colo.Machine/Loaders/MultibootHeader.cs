using System.Buffers.Binary;

namespace Kvm.Colo.Machine.Loaders;

/// <summary>The header of a Multiboot 1 image (Multiboot Specification 0.6.96, section 3.1).</summary>
internal readonly record struct MultibootHeader(
    int FileOffset, uint Flags, uint HeaderAddress, uint LoadAddress, uint LoadEnd, uint BssEnd, uint Entry)
{
    public const uint Magic = 0x1BAD_B002;
    private const int SearchBytes = 8192;
    private const uint AddressFields = 1u << 16;
    private const uint UnknownRequirements = 0xFFF8;

    /// <summary>Whether the image says itself where it is loaded, whatever its format.</summary>
    public bool HasAddressFields => (Flags & AddressFields) != 0;

    /// <summary>Whether it demands something of the loader that the specification does not define.</summary>
    public bool HasUnknownRequirements => (Flags & UnknownRequirements) != 0;

    /// <summary>Looks for a header with a right checksum in the first 8192 bytes.</summary>
    public static bool TryFind(ReadOnlySpan<byte> image, out MultibootHeader header)
    {
        int end = Math.Min(image.Length, SearchBytes) - 12;
        for (int at = 0; at <= end; at += 4)
        {
            uint flags = Word(image, at + 4);
            if (Word(image, at) != Magic || unchecked(Magic + flags + Word(image, at + 8)) != 0)
                continue;
            header = new MultibootHeader(at, flags, 0, 0, 0, 0, 0);
            if (header.HasAddressFields)
            {
                if (image.Length - at < 32)
                    throw new BootImageException("the Multiboot header is cut off");
                header = new MultibootHeader(
                    at,
                    flags,
                    Word(image, at + 12),
                    Word(image, at + 16),
                    Word(image, at + 20),
                    Word(image, at + 24),
                    Word(image, at + 28));
            }

            return true;
        }

        header = default;
        return false;
    }

    private static uint Word(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt32LittleEndian(image[at..]);
}
