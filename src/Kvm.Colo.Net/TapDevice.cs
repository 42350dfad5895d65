using Kvm.Colo.Native;
using Kvm.Colo.Native.Io;

namespace Kvm.Colo.Net;

/// <summary>
/// A tap interface of the host, with the 12-byte header (Documentation/networking/tuntap.rst). Watched by the I/O thread.
/// </summary>
internal sealed class TapDevice : INetBackend
{
    private const string TunPath = "/dev/net/tun";

    private readonly SafeDescriptor _tap;
    private readonly IIoLoop _loop;
    private readonly Lock _lock = new();
    private IIoRegistration? _registration;
    private Action? _readable;
    private Action? _lost;
    private bool _isReceiving;
    private bool _isLost;

    private TapDevice(SafeDescriptor tap, string name, IIoLoop loop)
    {
        _tap = tap;
        Name = name;
        _loop = loop;
    }

    public string Name { get; }

    /// <summary>Takes the tap of that name, or makes it; without a name the host chooses one.</summary>
    /// <exception cref="NetOpenException">No tun driver, no permission, in use, or not a tap.</exception>
    public static TapDevice Open(string? interfaceName, IIoLoop loop)
    {
        string wanted = interfaceName ?? "";
        string shown = interfaceName ?? "tap";
        bool isName = wanted.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0 && !wanted.Contains('/', StringComparison.Ordinal);
        if (!isName || wanted.Length > NativeTap.MaxNameBytes)
            throw new NetOpenException(shown, $"no interface name (at most {NativeTap.MaxNameBytes} ASCII characters, no space)");
        const int readWriteNonBlocking = 0x802;
        long opened = Shim.Open(TunPath, readWriteNonBlocking, 0);
        if (opened < 0)
            throw new NetOpenException(shown, DescribeTun((Errno)(-opened)));
        var tap = new SafeDescriptor(opened);
        try
        {
            bool existed = wanted.Length > 0 && Shim.InterfaceExists(wanted) != 0;
            long attached = NativeTap.Attach(tap, wanted, out string name);
            if (attached < 0)
                throw new NetOpenException(shown, DescribeAttach((Errno)(-attached), wanted, existed));
            NativeException.Check("TUNSETVNETHDRSZ", Shim.TapSetHeaderSize(tap, VnetHeader.SizeBytes));
            NativeException.Check("TUNSETOFFLOAD", Shim.TapSetOffload(tap, 0));
            return new TapDevice(tap, name, loop);
        }
        catch (NativeException e)
        {
            tap.Dispose();
            throw new NetOpenException(shown, e.Message);
        }
        catch
        {
            tap.Dispose();
            throw;
        }
    }

    public void Start(Action readable, Action lost)
    {
        lock (_lock)
        {
            _readable = readable;
            _lost = lost;
            _registration = _loop.Register(_tap, IoEvents.None, OnEvents);
        }
    }

    public void SetReceiving(bool enabled)
    {
        lock (_lock)
        {
            if (_isReceiving == enabled || _isLost)
                return;
            _isReceiving = enabled;
            _registration?.Update(enabled ? IoEvents.Readable : IoEvents.None);
        }
    }

    public int TryReceive(Span<byte> frame)
    {
        long length = NativeFile.Read(_tap, frame);
        return length is -(long)Errno.EAGAIN or -(long)Errno.EINTR ? 0 : (int)length;
    }

    public Errno TrySend(ReadOnlySpan<byte> frame)
    {
        long sent = NativeFile.Write(_tap, frame);
        return sent >= 0 ? Errno.None : (Errno)(-sent);
    }

    public Errno SetOffloads(NetOffloads offloads)
    {
        long answer = Shim.TapSetOffload(_tap, (uint)offloads);
        return answer switch
        {
            >= 0 => Errno.None,
            -(long)Errno.EBADFD => Errno.ENODEV, // the descriptor has lost its interface
            _ => (Errno)(-answer),
        };
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isLost = true;
            _registration?.Dispose();
            _registration = null;
        }

        _tap.Dispose();
    }

    private void OnEvents(IoEvents events)
    {
        Action? callback;
        lock (_lock)
        {
            if (!_isReceiving || _isLost)
                return;
            bool isGone = (events & (IoEvents.Error | IoEvents.HangUp)) != 0;
            if (isGone)
            {
                _isLost = true;
                _registration?.Update(IoEvents.None);
            }

            callback = isGone ? _lost : _readable;
        }

        callback?.Invoke();
    }

    private static string DescribeTun(Errno errno) => errno switch
    {
        Errno.ENOENT or Errno.ENODEV or Errno.ENXIO => $"this host has no {TunPath} (modprobe tun)",
        Errno.EACCES or Errno.EPERM => $"{TunPath} may not be opened (check its mode)",
        _ => new NativeException($"open {TunPath}", errno).Message,
    };

    private static string DescribeAttach(Errno errno, string wanted, bool existed) => errno switch
    {
        Errno.EPERM or Errno.EACCES when existed => "belongs to another user (ip tuntap add NAME mode tap user USER)",
        Errno.EPERM or Errno.EACCES when wanted.Length > 0 =>
            $"does not exist and may not be made without CAP_NET_ADMIN (ip tuntap add {wanted} mode tap user USER)",
        Errno.EPERM or Errno.EACCES => "may not be made without CAP_NET_ADMIN (make one and name it with ifname=)",
        Errno.EBUSY => "in use by another VM",
        Errno.EINVAL when existed => "exists and is not a single-queue tap",
        _ => new NativeException("TUNSETIFF", errno).Message,
    };
}
