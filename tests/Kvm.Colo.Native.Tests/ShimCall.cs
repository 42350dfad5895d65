using System.Reflection;

namespace Kvm.Colo.Native.Tests;

/// <summary>Calls imports that take pointers; this project has no unsafe code, reflection takes an address as nint.</summary>
internal static class ShimCall
{
    public static IEnumerable<MethodInfo> Imports => typeof(Shim).GetMethods(BindingFlags.Public | BindingFlags.Static)
        .Where(method => method.DeclaringType == typeof(Shim));

    public static long Invoke(string name, params object[] arguments) =>
        (long)typeof(Shim).GetMethod(name)!.Invoke(null, arguments)!;

    /// <summary>The address of a pinned array's first byte.</summary>
    public static nint AddressOf(byte[] pinned) => System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0);

    public static byte[] Pinned(int length) => GC.AllocateArray<byte>(length, pinned: true);
}
