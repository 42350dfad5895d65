using Xunit;

namespace Kvm.Colo.Native.Tests;

public sealed class NativeExceptionTests
{
    [Theory]
    [InlineData("open", 2, "open: No such file or directory")]
    [InlineData("mmap", 12, "mmap: Cannot allocate memory")]
    [InlineData("ioctl", 25, "ioctl: Inappropriate ioctl for device")]
    [InlineData("x", 99999, "x: Unknown error 99999")]
    public void Message_NamesTheCallAndTheReason(string call, int errno, string expected)
    {
        NativeException exception = new(call, (Errno)errno);

        Assert.Equal(expected, exception.Message);
        Assert.Equal(call, exception.Call);
        Assert.Equal(errno, (int)exception.Errno);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(long.MaxValue)]
    public void Check_ReturnsTheResult_WhenItIsNotNegative(long result) => Assert.Equal(result, NativeException.Check("x", result));

    [Fact]
    public void Check_ThrowsTheErrno_WhenTheResultIsNegative() =>
        Assert.Equal(Errno.EBUSY, Assert.Throws<NativeException>(() => NativeException.Check("x", -16)).Errno);

    [Fact]
    public void SafeDescriptor_ClosesOnce()
    {
        SafeDescriptor descriptor = SafeDescriptor.From("eventfd", Shim.EventFd(0));
        Assert.False(descriptor.IsInvalid);
        Assert.True(descriptor.Number > 2);

        descriptor.Dispose();
        descriptor.Dispose();

        Assert.True(descriptor.IsClosed);
        Assert.Throws<ObjectDisposedException>(() => Shim.Poll(descriptor, 1, 0));
    }

    [Fact]
    public void SafeDescriptor_ThrowsTheErrno_WhenTheCallFailed() =>
        Assert.Equal(Errno.ENOENT, Assert.Throws<NativeException>(() => SafeDescriptor.From("open", -2)).Errno);
}
