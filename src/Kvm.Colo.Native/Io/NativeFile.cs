namespace Kvm.Colo.Native.Io;

/// <summary>
/// Transfers on an open descriptor with the result or -errno, for callers that hold managed spans or ranges of guest memory.
/// </summary>
internal static unsafe class NativeFile
{
    /// <summary>RWF_DSYNC of pwritev2(2): the write is on stable storage when the call returns.</summary>
    public const int Durable = 0x02;

    /// <summary>RWF_NOWAIT of preadv2(2): -EAGAIN instead of waiting for the device.</summary>
    public const int NoWait = 0x08;

    /// <summary>FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE of fallocate(2).</summary>
    public const int PunchHole = 0x03;

    /// <summary>FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE of fallocate(2).</summary>
    public const int ZeroRange = 0x11;

    /// <summary>FALLOC_FL_KEEP_SIZE of fallocate(2) alone: blocks for the range, content unchanged.</summary>
    public const int Allocate = 0x01;

    public static long Read(SafeDescriptor file, Span<byte> destination)
    {
        fixed (byte* pointer = destination)
            return Shim.Read(file, pointer, (ulong)destination.Length);
    }

    public static long Write(SafeDescriptor file, ReadOnlySpan<byte> source)
    {
        fixed (byte* pointer = source)
            return Shim.Write(file, pointer, (ulong)source.Length);
    }

    /// <summary>One preadv2; the vectors are not advanced.</summary>
    public static long Read(SafeDescriptor file, IoVectors vectors, ulong offset, int flags) =>
        Shim.ReadVector(file, vectors.Pointer, vectors.Count, offset, flags);

    /// <summary>One pwritev2; the vectors are not advanced.</summary>
    public static long Write(SafeDescriptor file, IoVectors vectors, ulong offset, int flags) =>
        Shim.WriteVector(file, vectors.Pointer, vectors.Count, offset, flags);

    public static long Write(SafeDescriptor file, ReadOnlySpan<byte> source, ulong offset, int flags)
    {
        fixed (byte* pointer = source)
        {
            (nuint Base, nuint Length) vector = ((nuint)pointer, (nuint)source.Length);
            return Shim.WriteVector(file, &vector, 1, offset, flags);
        }
    }

    public static long Read(SafeDescriptor file, Span<byte> destination, ulong offset)
    {
        fixed (byte* pointer = destination)
        {
            (nuint Base, nuint Length) vector = ((nuint)pointer, (nuint)destination.Length);
            return Shim.ReadVector(file, &vector, 1, offset, 0);
        }
    }

    /// <summary>What the descriptor is open on, and its size in bytes.</summary>
    public static long Info(SafeDescriptor file, out NativeFileKind kind, out ulong sizeBytes)
    {
        int rawKind = 0;
        ulong rawSize = 0;
        long answer = Shim.FileInfo(file, &rawKind, &rawSize);
        kind = (NativeFileKind)rawKind;
        sizeBytes = rawSize;
        return answer;
    }

    /// <summary>Fills the span with the kernel's entropy (getrandom(2)).</summary>
    /// <exception cref="NativeException">The kernel refused.</exception>
    public static void FillRandom(Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            fixed (byte* pointer = destination)
            {
                long got = Shim.GetRandom(pointer, (ulong)destination.Length);
                if (got != -(long)Errno.EINTR)
                    destination = destination[(int)NativeException.Check("getrandom", got)..];
            }
        }
    }

    /// <summary>Adds one to an eventfd.</summary>
    public static long Signal(SafeDescriptor eventDescriptor)
    {
        ulong one = 1;
        return Shim.Write(eventDescriptor, &one, sizeof(ulong));
    }

    /// <summary>Empties an eventfd; false when it held nothing.</summary>
    public static bool Consume(SafeDescriptor eventDescriptor)
    {
        ulong count = 0;
        return Shim.Read(eventDescriptor, &count, sizeof(ulong)) == sizeof(ulong);
    }
}
