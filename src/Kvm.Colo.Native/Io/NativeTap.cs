using System.Text;

namespace Kvm.Colo.Native.Io;

/// <summary>
/// The calls that make an open /dev/net/tun a tap interface (Documentation/networking/tuntap.rst); results or -errno.
/// </summary>
internal static unsafe class NativeTap
{
    /// <summary>IFNAMSIZ - 1.</summary>
    public const int MaxNameBytes = 15;

    private const int NameBytes = 16;

    /// <summary>TUNSETIFF with IFF_TAP, IFF_NO_PI and IFF_VNET_HDR; takes the interface or makes it.</summary>
    public static long Attach(SafeDescriptor tun, string wantedName, out string name)
    {
        byte* raw = stackalloc byte[NameBytes];
        new Span<byte>(raw, NameBytes).Clear();
        name = wantedName;
        if (!Encoding.ASCII.TryGetBytes(wantedName, new Span<byte>(raw, MaxNameBytes), out _))
            return -(long)Errno.EINVAL;
        long answer = Shim.TapAttach(tun, raw);
        if (answer >= 0)
            name = Encoding.ASCII.GetString(raw, new ReadOnlySpan<byte>(raw, NameBytes).IndexOf((byte)0));
        return answer;
    }
}
