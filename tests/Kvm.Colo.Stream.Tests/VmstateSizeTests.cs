using Xunit;

namespace Kvm.Colo.Stream.Tests;

public sealed class VmstateSizeTests
{
    [Fact]
    public void Write_GivesTheGoldenBytes_AndTryReadReturnsThem()
    {
        byte[] frame = new byte[VmstateSize.SizeBytes];
        VmstateSize.Write(frame, 12917);

        Assert.Equal(Frames.Hex("0000000000003275"), frame);
        Assert.Equal(FrameStatus.Ok, VmstateSize.TryRead(frame, VmstateSize.DefaultLimitBytes, out int size));
        Assert.Equal(12917, size);
        Frames.AssertEveryTruncationNeedsMore(frame, source => VmstateSize.TryRead(source, VmstateSize.DefaultLimitBytes, out _));
    }

    [Theory]
    [InlineData("0000000000000000", false)]
    [InlineData("0000000001000000", true)]
    [InlineData("0000000001000001", false)]
    [InlineData("8000000000000001", false)]
    [InlineData("ffffffffffffffff", false)]
    public void TryRead_IsMalformed_OutsideTheLimit(string hex, bool legal) =>
        Assert.Equal(
            legal ? FrameStatus.Ok : FrameStatus.Malformed,
            VmstateSize.TryRead(Frames.Hex(hex), VmstateSize.DefaultLimitBytes, out _));
}
