namespace Kvm.Colo.Native.Io;

/// <summary>What an event loop watches for and reports (values of EPOLLIN and its like, epoll_ctl(2)).</summary>
[Flags]
internal enum IoEvents
{
    /// <summary>Not watched at all: not even errors are reported, so nothing can spin.</summary>
    None = 0,
    Readable = 0x001,
    Writable = 0x004,

    /// <summary>Reported whether asked for or not.</summary>
    Error = 0x008,

    /// <summary>Reported whether asked for or not.</summary>
    HangUp = 0x010,
}
