using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Kvm.Colo.Memory;

/// <summary>
/// The two pages that will be compared after the present ones, or none: their lines are fetched while the present ones are looked at. The
/// processor fetches ahead by itself, but never over the end of a page, and not far enough for two of them side by side.
/// </summary>
internal readonly ref struct NextPages(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
{
    private readonly ReadOnlySpan<byte> _one = one;
    private readonly ReadOnlySpan<byte> _other = other;

    public bool IsNone => _one.IsEmpty || _other.IsEmpty;

    public ref byte One => ref MemoryMarshal.GetReference(_one);

    public ref byte Other => ref MemoryMarshal.GetReference(_other);

    /// <summary>Has the line of one byte fetched. It reads nothing into the program and never faults, so the address may be any.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Prefetch(ref byte place)
    {
        if (Sse.IsSupported)
            Sse.Prefetch0(Unsafe.AsPointer(ref place));
    }
}
