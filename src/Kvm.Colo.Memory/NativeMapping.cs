using System.Runtime.InteropServices;
using Kvm.Colo.Native;

namespace Kvm.Colo.Memory;

/// <summary>A mapped range of this process, unmapped once when its owner disposes it after every user has joined.</summary>
internal sealed unsafe class NativeMapping : SafeHandle
{
    private NativeMapping(void* address, ulong lengthBytes)
        : base(invalidHandleValue: 0, ownsHandle: true)
    {
        SetHandle((nint)address);
        LengthBytes = lengthBytes;
    }

    public ulong LengthBytes { get; }

    public byte* Address => (byte*)handle;

    public override bool IsInvalid => handle == 0;

    /// <summary>Maps <paramref name="file"/> from its start, shared with it or as a private copy-on-write view.</summary>
    /// <exception cref="NativeException">The kernel refused (ENOMEM, EACCES).</exception>
    public static NativeMapping Map(SafeDescriptor file, ulong lengthBytes, bool isPrivate, ulong offset = 0) =>
        new((void*)NativeException.Check("mmap", Shim.Mmap(file, lengthBytes, 1, isPrivate ? 1 : 0, offset)), lengthBytes);

    /// <summary>Maps fresh zeroed memory that costs nothing until it is touched.</summary>
    /// <exception cref="NativeException">The kernel refused (ENOMEM).</exception>
    public static NativeMapping Anonymous(ulong lengthBytes) =>
        new((void*)NativeException.Check("mmap", Shim.MmapRaw(-1, lengthBytes, 1, 1, 0)), lengthBytes);

    /// <summary>A view of bytes [offset, offset + length) of the mapping.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not inside the mapping.</exception>
    public Span<byte> Slice(ulong offset, int length)
    {
        if (length < 0 || offset > LengthBytes || (ulong)length > LengthBytes - offset)
            throw new ArgumentOutOfRangeException(nameof(offset), $"{length} bytes at {offset} of a mapping of {LengthBytes}");
        // SAFETY: in range by the check; owners release a mapping only after every thread that uses it has joined.
        return new Span<byte>(Address + offset, length);
    }

    protected override bool ReleaseHandle() => Shim.Munmap((void*)handle, LengthBytes) == 0;
}
