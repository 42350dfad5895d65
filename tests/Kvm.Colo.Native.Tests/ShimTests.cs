using System.Buffers.Binary;
using System.Reflection;
using System.Runtime.InteropServices;
using Xunit;
using static Kvm.Colo.Native.Tests.ShimCall;

namespace Kvm.Colo.Native.Tests;

public sealed class ShimTests
{
    private const long EISDIR = 21;
    private const long ENOTTY = 25;
    private const long ESRCH = 3;
    private const long ENXIO = 6;
    private const int ReadWrite = 2;
    private const short PollIn = 1;

    [Fact]
    public void EveryImport_IsExportedByTheLibrary()
    {
        _ = Shim.ThreadId();
        nint library = NativeLibrary.Load("colo_shim", typeof(Shim).Assembly, searchPath: null);

        Assert.All(Imports, method =>
            Assert.True(NativeLibrary.TryGetExport(library, method.GetCustomAttribute<LibraryImportAttribute>()!.EntryPoint!, out _), method.Name));
        Assert.True(Imports.Count() >= 20);
    }

    [Theory]
    [InlineData("/does/not/exist", -(long)Errno.ENOENT)]
    [InlineData("/tmp", -EISDIR)]
    [InlineData("", -(long)Errno.ENOENT)]
    public void Open_ReturnsTheErrno(string path, long expected) => Assert.Equal(expected, Shim.Open(path, ReadWrite, 0));

    [Fact]
    public void Close_ReturnsTheErrno_WhenTheDescriptorIsNotOpen() => Assert.Equal(-(long)Errno.EBADF, Shim.Close(-1));

    [Fact]
    public void Ioctl_ReturnsTheErrno_WhenTheFileIsNotADevice()
    {
        using SafeDescriptor file = Memfd(4096);
        byte[] argument = Pinned(64);

        Assert.Equal(-ENOTTY, Shim.IoctlInt(file, KvmIoctl.KVM_GET_API_VERSION, 0));
        Assert.Equal(-ENOTTY, Invoke(nameof(Shim.IoctlPtr), file, (ulong)KvmIoctl.KVM_SET_CLOCK, AddressOf(argument)));
        Assert.Equal(-ENOTTY, Shim.VcpuRun(file));
    }

    [Fact]
    public void MemfdCreate_ReturnsTheErrno_WhenTheSizeIsImpossible()
    {
        Assert.Equal(-(long)Errno.EINVAL, Shim.MemfdCreate("too big", ulong.MaxValue));
    }

    [Fact]
    public void Memfd_IsSparse_AndHolesCanBePunched()
    {
        const ulong Size = 5ul << 30;
        using SafeDescriptor file = Memfd(Size);
        long address = Shim.Mmap(file, Size, writable: 1, isPrivate: 0, 0);
        Assert.True(address > 0);
        Marshal.WriteByte((nint)address, 3 << 12, 7);

        Assert.Equal(3 << 12, Shim.SeekData(file, 0));
        Assert.Equal(0, Shim.SeekHole(file, 0));
        Assert.Equal(4 << 12, Shim.SeekHole(file, 3 << 12));
        Assert.Equal(0, Shim.PunchHole(file, 3 << 12, 4096));
        Assert.Equal(-ENXIO, Shim.SeekData(file, 0));
        Assert.Equal(0, Marshal.ReadByte((nint)address, 3 << 12));
        Assert.Equal(0, Invoke(nameof(Shim.Munmap), (nint)address, Size));
    }

    [Fact]
    public void Mapping_ReturnsTheErrno_WhenTheRangeIsImpossible()
    {
        using SafeDescriptor file = Memfd(4096);

        Assert.Equal(-(long)Errno.EINVAL, Shim.Mmap(file, 0, 1, 0, 0));
        Assert.Equal(-(long)Errno.EINVAL, Shim.Mmap(file, 4096, 1, 0, 1));
        Assert.Equal(-(long)Errno.EINVAL, Invoke(nameof(Shim.Munmap), (nint)1, 4096ul));
        Assert.Equal(-(long)Errno.EINVAL, Invoke(nameof(Shim.Madvise), (nint)1, 4096ul, 4));
        Assert.Equal(-ENXIO, Shim.SeekData(file, 8192));
        Assert.Equal(-ENXIO, Shim.SeekHole(file, 8192));
        Assert.Equal(-(long)Errno.EINVAL, Shim.PunchHole(file, 0, 0));
    }

    [Fact]
    public void MmapRaw_GivesZeroedMemory()
    {
        long address = Shim.MmapRaw(-1, 8192, writable: 1, isPrivate: 1, 0);

        Assert.True(address > 0);
        Assert.Equal(0, Marshal.ReadInt64((nint)address + 4096));
        Assert.Equal(0, Invoke(nameof(Shim.Madvise), (nint)address, 8192ul, 4));
        Assert.Equal(0, Invoke(nameof(Shim.Munmap), (nint)address, 8192ul));
    }

    [Fact]
    public void EventFd_CarriesItsCount()
    {
        using SafeDescriptor signal = SafeDescriptor.From("eventfd", Shim.EventFd(0));
        byte[] buffer = Pinned(8);

        Assert.Equal(0, Shim.Poll(signal, PollIn, 0));
        Assert.Equal(-(long)Errno.EAGAIN, Invoke(nameof(Shim.Read), signal, AddressOf(buffer), 8ul));
        BinaryPrimitives.WriteUInt64LittleEndian(buffer, 5);
        Assert.Equal(8, Invoke(nameof(Shim.Write), signal, AddressOf(buffer), 8ul));
        Assert.Equal(PollIn, Shim.Poll(signal, PollIn, 1000));
        buffer.AsSpan().Clear();
        Assert.Equal(8, Invoke(nameof(Shim.Read), signal, AddressOf(buffer), 8ul));
        Assert.Equal(5ul, BinaryPrimitives.ReadUInt64LittleEndian(buffer));
        Assert.Equal(-(long)Errno.EINVAL, Invoke(nameof(Shim.Write), signal, AddressOf(buffer), 4ul));
    }

    [Fact]
    public void Terminal_GoesRawAndBack()
    {
        using SafeDescriptor terminal = SafeDescriptor.From("open", Shim.Open("/dev/ptmx", ReadWrite, 0));
        byte[] before = Pinned(128);
        byte[] raw = Pinned(128);
        byte[] after = Pinned(128);

        Assert.Equal(0, Invoke(nameof(Shim.TerminalRaw), (nint)terminal.Number, AddressOf(before), 128ul));
        Assert.Equal(0, Invoke(nameof(Shim.TerminalRaw), (nint)terminal.Number, AddressOf(raw), 128ul));
        Assert.NotEqual(before, raw);
        Assert.Equal(0, Invoke(nameof(Shim.TerminalRestore), (nint)terminal.Number, AddressOf(before), 128ul));
        Assert.Equal(0, Invoke(nameof(Shim.TerminalRaw), (nint)terminal.Number, AddressOf(after), 128ul));
        Assert.Equal(before, after);
    }

    [Fact]
    public void Terminal_ReturnsTheErrno_WhenItIsNoneOrTheBufferIsSmall()
    {
        using SafeDescriptor file = Memfd(4096);
        byte[] saved = Pinned(128);

        Assert.Equal(-ENOTTY, Invoke(nameof(Shim.TerminalRaw), (nint)file.Number, AddressOf(saved), 128ul));
        Assert.Equal(-ENOTTY, Invoke(nameof(Shim.TerminalRestore), (nint)file.Number, AddressOf(saved), 128ul));
        Assert.Equal(-(long)Errno.EINVAL, Invoke(nameof(Shim.TerminalRaw), (nint)file.Number, AddressOf(saved), 8ul));
        Assert.Equal(-(long)Errno.EINVAL, Invoke(nameof(Shim.TerminalRestore), (nint)file.Number, AddressOf(saved), 8ul));
    }

    [Fact]
    public void Kick_ReturnsTheErrno_WhenThereIsNoSuchThread()
    {
        Assert.Equal(0, Shim.KickInstall());
        Assert.Equal(-ESRCH, Shim.Kick(int.MaxValue));
        Assert.Equal(-(long)Errno.EINVAL, Shim.Kick(0));
    }

    private static SafeDescriptor Memfd(ulong sizeBytes) => SafeDescriptor.From("memfd_create", Shim.MemfdCreate("test", sizeBytes));
}
