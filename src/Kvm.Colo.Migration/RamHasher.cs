using Kvm.Colo.Memory;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration;

/// <summary>One hash over all RAM as the guest sees it; pages of zeros are left out, so untouched RAM stays untouched where it can.</summary>
internal static class RamHasher
{
    /// <summary>Hashes page numbers and contents of all pages that are not zero; the guest must stand still.</summary>
    public static UInt128 Compute(GuestMemory memory)
    {
        StreamDigest digest = new(0);
        Span<byte> number = stackalloc byte[sizeof(ulong)];
        for (ulong page = 0; page < memory.PageCount; page++)
        {
            ReadOnlySpan<byte> content = memory.Page(page);
            if (PageHash.IsZero(content))
                continue;
            BitConverter.TryWriteBytes(number, page);
            digest.Append(number);
            digest.Append(content);
        }

        return digest.Value;
    }
}
