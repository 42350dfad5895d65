using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>An owned file descriptor; closed once, when the last user lets go of it.</summary>
internal sealed class SafeDescriptor : SafeHandle
{
    public SafeDescriptor(long descriptor)
        : base(invalidHandleValue: -1, ownsHandle: true) => SetHandle((nint)descriptor);

    public override bool IsInvalid => handle < 0;

    public int Number => (int)handle;

    /// <summary>Takes the result of a call that returns a descriptor or -errno.</summary>
    /// <exception cref="NativeException">The call failed.</exception>
    public static SafeDescriptor From(string call, long result) => new(NativeException.Check(call, result));

    protected override bool ReleaseHandle() => Shim.Close(handle) == 0;
}
