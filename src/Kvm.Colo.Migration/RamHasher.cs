using System.Runtime.InteropServices;
using Kvm.Colo.Memory;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration;

/// <summary>One hash over all RAM as the guest sees it; pages of zeros are left out, so untouched RAM stays untouched where it can.</summary>
internal static class RamHasher
{
    private const ulong PagesPerStep = 256;

    /// <summary>Hashes page numbers and contents of all pages that are not zero; the guest must stand still.</summary>
    /// <param name="memory">The guest's.</param>
    /// <param name="proving">Hears of every MiB.</param>
    /// <remarks>A hash of page hashes: whole pages in place are hashed faster than a running hash takes them, several times so on an
    /// emulated CPU.</remarks>
    public static UInt128 Compute(GuestMemory memory, Action? proving)
    {
        StreamDigest digest = new(0);
        for (ulong page = 0; page < memory.PageCount; page++)
        {
            if (page % PagesPerStep == 0)
                proving?.Invoke();
            ReadOnlySpan<byte> content = memory.Page(page);
            if (PageHash.IsZero(content))
                continue;
            UInt128 hash = PageHash.Compute(content, (long)page);
            digest.Append(MemoryMarshal.AsBytes(new ReadOnlySpan<UInt128>(in hash)));
        }

        return digest.Value;
    }
}
