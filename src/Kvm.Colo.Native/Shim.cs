using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>
/// The imports of libcolo_shim. Every function returns its result or -errno; the typed wrappers above this class turn that
/// into exceptions or <see cref="Errno"/> values. Source: native-shim/colo_shim.h.
/// </summary>
internal static unsafe partial class Shim
{
    private const string Library = "colo_shim";

    [LibraryImport(Library, EntryPoint = "colo_open", StringMarshalling = StringMarshalling.Utf8)]
    public static partial long Open(string path, int flags, int mode);

    [LibraryImport(Library, EntryPoint = "colo_close")]
    public static partial long Close(nint fd);

    /// <summary>This host's time stamp counter.</summary>
    [LibraryImport(Library, EntryPoint = "colo_tsc")]
    public static partial ulong Tsc();

    [LibraryImport(Library, EntryPoint = "colo_ioctl_int")]
    public static partial long IoctlInt(SafeHandle fd, ulong request, long argument);

    [LibraryImport(Library, EntryPoint = "colo_ioctl_ptr")]
    public static partial long IoctlPtr(SafeHandle fd, ulong request, void* argument);

    /// <summary>KVM_RUN. A plain call on purpose: the thread is preemptive for the runtime while the guest runs.</summary>
    [LibraryImport(Library, EntryPoint = "colo_vcpu_run")]
    public static partial long VcpuRun(SafeHandle vcpu);

    [LibraryImport(Library, EntryPoint = "colo_kick_install")]
    public static partial long KickInstall();

    [LibraryImport(Library, EntryPoint = "colo_thread_id")]
    public static partial long ThreadId();

    [LibraryImport(Library, EntryPoint = "colo_kick")]
    public static partial long Kick(long threadId);

    [LibraryImport(Library, EntryPoint = "colo_set_scheduling")]
    public static partial long SetScheduling(long threadId, int niceValue, ulong sliceNanoseconds);

    [LibraryImport(Library, EntryPoint = "colo_set_timer_slack")]
    public static partial long SetTimerSlack(ulong slackNanoseconds);

    [LibraryImport(Library, EntryPoint = "colo_futex_wait")]
    public static partial long FutexWait(int* word, int expected, long timeoutNanoseconds);

    [LibraryImport(Library, EntryPoint = "colo_futex_wake_all")]
    public static partial long FutexWakeAll(int* word);

    [LibraryImport(Library, EntryPoint = "colo_memfd_create", StringMarshalling = StringMarshalling.Utf8)]
    public static partial long MemfdCreate(string name, ulong sizeBytes);

    [LibraryImport(Library, EntryPoint = "colo_mmap")]
    public static partial long Mmap(SafeHandle fd, ulong lengthBytes, int writable, int isPrivate, ulong offset);

    [LibraryImport(Library, EntryPoint = "colo_mmap")]
    public static partial long MmapRaw(nint fd, ulong lengthBytes, int writable, int isPrivate, ulong offset);

    [LibraryImport(Library, EntryPoint = "colo_mmap_fixed_shared")]
    public static partial long MmapFixedShared(SafeHandle fd, void* address, ulong lengthBytes);

    [LibraryImport(Library, EntryPoint = "colo_munmap")]
    public static partial long Munmap(void* address, ulong lengthBytes);

    [LibraryImport(Library, EntryPoint = "colo_madvise")]
    public static partial long Madvise(void* address, ulong lengthBytes, int advice);

    [LibraryImport(Library, EntryPoint = "colo_seek_data")]
    public static partial long SeekData(SafeHandle fd, ulong offset);

    [LibraryImport(Library, EntryPoint = "colo_seek_hole")]
    public static partial long SeekHole(SafeHandle fd, ulong offset);

    [LibraryImport(Library, EntryPoint = "colo_punch_hole")]
    public static partial long PunchHole(SafeHandle fd, ulong offset, ulong lengthBytes);

    [LibraryImport(Library, EntryPoint = "colo_read")]
    public static partial long Read(SafeHandle fd, void* buffer, ulong lengthBytes);

    [LibraryImport(Library, EntryPoint = "colo_write")]
    public static partial long Write(SafeHandle fd, void* buffer, ulong lengthBytes);

    [LibraryImport(Library, EntryPoint = "colo_poll")]
    public static partial long Poll(SafeHandle fd, int events, int timeoutMilliseconds);

    [LibraryImport(Library, EntryPoint = "colo_eventfd")]
    public static partial long EventFd(uint initial);

    [LibraryImport(Library, EntryPoint = "colo_terminal_raw")]
    public static partial long TerminalRaw(nint fd, void* saved, ulong savedBytes);

    [LibraryImport(Library, EntryPoint = "colo_terminal_restore")]
    public static partial long TerminalRestore(nint fd, void* saved, ulong savedBytes);
}
