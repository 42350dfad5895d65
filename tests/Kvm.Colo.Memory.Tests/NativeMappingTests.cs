using Kvm.Colo.Native;
using Xunit;

namespace Kvm.Colo.Memory.Tests;

public sealed class NativeMappingTests
{
    [Theory]
    [InlineData(0, -1)]
    [InlineData(8193, 0)]
    [InlineData(1, 8192)]
    [InlineData(ulong.MaxValue, 2)]
    [InlineData(8192, 1)]
    public void Slice_ThrowsOutsideTheMapping(ulong offset, int length)
    {
        using NativeMapping mapping = NativeMapping.Anonymous(8192);

        Assert.Throws<ArgumentOutOfRangeException>(() => mapping.Slice(offset, length).Length);
    }

    [Fact]
    public void Slice_IsTheMemory()
    {
        using NativeMapping mapping = NativeMapping.Anonymous(8192);

        mapping.Slice(4095, 2).Fill(7);

        Assert.Equal([0, 7, 7, 0], mapping.Slice(4094, 4).ToArray());
        Assert.True(mapping.Slice(8192, 0).IsEmpty);
    }

    [Fact]
    public void Map_ThrowsTheErrno()
    {
        using SafeDescriptor file = SafeDescriptor.From("memfd_create", Shim.MemfdCreate("test", 4096));

        Assert.Equal(Errno.EINVAL, Assert.Throws<NativeException>(() => NativeMapping.Map(file, 0, isPrivate: false)).Errno);
        Assert.Throws<NativeException>(() => NativeMapping.Anonymous(ulong.MaxValue));
    }

    [Fact]
    public void SharedAndPrivateViews_DifferOnlyWhereWritten()
    {
        using SafeDescriptor file = SafeDescriptor.From("memfd_create", Shim.MemfdCreate("test", 8192));
        using NativeMapping shared = NativeMapping.Map(file, 8192, isPrivate: false);
        using NativeMapping own = NativeMapping.Map(file, 8192, isPrivate: true);

        own.Slice(0, 1)[0] = 1;
        shared.Slice(0, 1)[0] = 2;
        shared.Slice(4096, 1)[0] = 3;

        Assert.Equal((1, 2, 3), (own.Slice(0, 1)[0], shared.Slice(0, 1)[0], own.Slice(4096, 1)[0]));
    }

    [Fact]
    public void Address_AddsCheckedAndSaysItsSpace()
    {
        Assert.Equal(new GuestPhysicalAddress(0x1001), new GuestPhysicalAddress(0x1000) + 1);
        Assert.Throws<OverflowException>(() => new GuestPhysicalAddress(ulong.MaxValue) + 1);
        Assert.Equal("gpa:0xc0de", new GuestPhysicalAddress(0xC0DE).ToString());
    }
}
