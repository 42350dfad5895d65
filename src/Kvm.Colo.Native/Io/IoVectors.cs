using System.Runtime.CompilerServices;

namespace Kvm.Colo.Native.Io;

/// <summary>
/// A list of host memory ranges for one vectored transfer (struct iovec, readv(2)), consumed from the front as the kernel
/// transfers: a partial transfer is continued where it stopped, never begun again. Not thread-safe; allocated once and used
/// again.
/// </summary>
internal sealed unsafe class IoVectors
{
    // Pinned for life: the kernel reads it.
    private readonly Range[] _ranges;
    private int _first;
    private int _count;

    public IoVectors(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        _ranges = GC.AllocateUninitializedArray<Range>(capacity, pinned: true);
    }

    public int Capacity => _ranges.Length;

    /// <summary>Ranges not yet consumed whole.</summary>
    public int Count => _count - _first;

    /// <summary>Bytes not yet consumed.</summary>
    public ulong RemainingBytes { get; private set; }

    /// <summary>Points at the first range that is left; for the system call and nothing else.</summary>
    public void* Pointer => (Range*)Unsafe.AsPointer(ref _ranges[0]) + _first;

    public void Clear()
    {
        _first = 0;
        _count = 0;
        RemainingBytes = 0;
    }

    /// <summary>Adds a range that stays mapped until the transfer is over; false when the list is full.</summary>
    public bool TryAdd(nuint hostAddress, ulong lengthBytes)
    {
        if (_count == Capacity)
            return false;
        _ranges[_count++] = new Range { Base = hostAddress, Length = (nuint)lengthBytes };
        RemainingBytes += lengthBytes;
        return true;
    }

    /// <summary>Consumes what the kernel reported as transferred.</summary>
    public void Advance(ulong bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, RemainingBytes);
        RemainingBytes -= bytes;
        while (bytes > 0)
        {
            ref Range range = ref _ranges[_first];
            if (bytes < range.Length)
            {
                range.Base += (nuint)bytes;
                range.Length -= (nuint)bytes;
                return;
            }

            bytes -= range.Length;
            _first++;
        }
    }

    /// <summary>Copies the ranges' bytes out, without consuming them; the ranges must hold at least that many.</summary>
    public void CopyTo(Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)destination.Length, RemainingBytes);
        for (int i = _first; !destination.IsEmpty; i++)
        {
            // SAFETY: the caller added ranges that are mapped; both lengths bound the copy.
            int part = (int)Math.Min((ulong)destination.Length, _ranges[i].Length);
            new ReadOnlySpan<byte>((void*)_ranges[i].Base, part).CopyTo(destination);
            destination = destination[part..];
        }
    }

    /// <summary>Fills the ranges from <paramref name="source"/>, without consuming them.</summary>
    public void CopyFrom(ReadOnlySpan<byte> source)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)source.Length, RemainingBytes);
        for (int i = _first; !source.IsEmpty; i++)
        {
            // SAFETY: as in CopyTo.
            int part = (int)Math.Min((ulong)source.Length, _ranges[i].Length);
            source[..part].CopyTo(new Span<byte>((void*)_ranges[i].Base, part));
            source = source[part..];
        }
    }

    // struct iovec
    private struct Range
    {
        public nuint Base;
        public nuint Length;
    }
}
