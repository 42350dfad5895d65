using System.ComponentModel;

namespace Kvm.Colo.Native;

/// <summary>A system call that the kernel refused, with its name and error number.</summary>
internal sealed class NativeException(string call, Errno errno)
    : IOException($"{call}: {new Win32Exception((int)errno).Message}")
{
    public string Call { get; } = call;

    public Errno Errno { get; } = errno;

    /// <summary>Returns <paramref name="result"/> if it is not negative, else throws with -result as the error number.</summary>
    public static long Check(string call, long result) => result >= 0 ? result : throw new NativeException(call, (Errno)(-result));
}
