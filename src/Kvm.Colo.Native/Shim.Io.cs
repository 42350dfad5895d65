using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <content>Files, disks, the event loop and tap interfaces. Source: native-shim/colo_io.h.</content>
internal static unsafe partial class Shim
{
    [LibraryImport(Library, EntryPoint = "colo_epoll_create")]
    public static partial long EpollCreate();

    [LibraryImport(Library, EntryPoint = "colo_epoll_ctl")]
    public static partial long EpollCtl(SafeHandle epoll, int operation, SafeHandle fd, uint events, ulong data);

    [LibraryImport(Library, EntryPoint = "colo_epoll_wait")]
    public static partial long EpollWait(SafeHandle epoll, void* events, int maxEvents, int timeoutMilliseconds);

    [LibraryImport(Library, EntryPoint = "colo_preadv")]
    public static partial long ReadVector(SafeHandle fd, void* vectors, int count, ulong offset, int flags);

    [LibraryImport(Library, EntryPoint = "colo_pwritev")]
    public static partial long WriteVector(SafeHandle fd, void* vectors, int count, ulong offset, int flags);

    [LibraryImport(Library, EntryPoint = "colo_fdatasync")]
    public static partial long FlushData(SafeHandle fd);

    [LibraryImport(Library, EntryPoint = "colo_fallocate")]
    public static partial long Fallocate(SafeHandle fd, int mode, ulong offset, ulong length);

    [LibraryImport(Library, EntryPoint = "colo_lock_file")]
    public static partial long LockFile(SafeHandle fd, int exclusive);

    [LibraryImport(Library, EntryPoint = "colo_file_info")]
    public static partial long FileInfo(SafeHandle fd, int* kind, ulong* sizeBytes);

    [LibraryImport(Library, EntryPoint = "colo_getrandom")]
    public static partial long GetRandom(void* buffer, ulong length);

    [LibraryImport(Library, EntryPoint = "colo_tap_attach")]
    public static partial long TapAttach(SafeHandle fd, byte* name);

    [LibraryImport(Library, EntryPoint = "colo_tap_set_header_size")]
    public static partial long TapSetHeaderSize(SafeHandle fd, int bytes);

    [LibraryImport(Library, EntryPoint = "colo_tap_set_offload")]
    public static partial long TapSetOffload(SafeHandle fd, uint flags);

    [LibraryImport(Library, EntryPoint = "colo_interface_exists", StringMarshalling = StringMarshalling.Utf8)]
    public static partial long InterfaceExists(string name);
}
