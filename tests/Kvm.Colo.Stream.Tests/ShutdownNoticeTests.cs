using Kvm.Colo.Stream;
using Xunit;

namespace Kvm.Colo.Stream.Tests;

public class ShutdownNoticeTests
{
    [Fact]
    public void Write_GivesTheBytesOfTheProtocol_AndReadsBack()
    {
        byte[] wire = new byte[ShutdownNotice.SizeBytes];
        new ShutdownNotice(6, 11).Write(wire);
        Assert.Equal("636f0004000000060000000b", Convert.ToHexStringLower(wire));
        Assert.Equal(FrameStatus.Ok, ShutdownNotice.TryRead(wire, out ShutdownNotice read));
        Assert.Equal(new ShutdownNotice(6, 11), read);
        for (int length = 0; length < wire.Length; length++)
            Assert.Equal(FrameStatus.NeedMoreData, ShutdownNotice.TryRead(wire.AsSpan(0, length), out _));
    }

    [Theory]
    [InlineData("636f00040000002000000000")]
    [InlineData("636f00040000000600000200")]
    [InlineData("636f0005000000060000000b")]
    public void TryRead_RefusesWhatIsOutOfBounds(string wire) =>
        Assert.Equal(FrameStatus.Malformed, ShutdownNotice.TryRead(Convert.FromHexString(wire), out _));
}
