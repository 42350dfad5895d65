using System.ComponentModel;
using Kvm.Colo.Native;

namespace Kvm.Colo.Kvm;

/// <summary>KVM refused a request: the VM it was for cannot go on as asked.</summary>
internal sealed class KvmException(string call, Errno errno) : Exception($"{call}: {new Win32Exception((int)errno).Message}")
{
    public string Call { get; } = call;

    public Errno Errno { get; } = errno;

    /// <summary>Returns <paramref name="result"/> if it is not negative, else throws with -result as the error number.</summary>
    public static long Check(string call, long result) => result >= 0 ? result : throw new KvmException(call, (Errno)(-result));
}
