using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Kvm.Colo.Stream.Tests;

public sealed class ChannelBufferTests
{
    [Fact]
    public void Writes_AreBigEndian() =>
        Assert.Equal(
            Frames.Hex("01 0203 04050607 08090a0b0c0d0e0f 00112233445566778899aabbccddeeff 02 6162"),
            Frames.Written(buffer =>
            {
                buffer.WriteU8(1);
                buffer.WriteU16(0x0203);
                buffer.WriteU32(0x04050607);
                buffer.WriteU64(0x08090A0B0C0D0E0F);
                buffer.WriteU128(new UInt128(0x0011223344556677, 0x8899AABBCCDDEEFF));
                buffer.WriteName("ab");
            }));

    [Fact]
    public void Patch_FillsWhatWasReserved() =>
        Assert.Equal(
            Frames.Hex("ff 0102 03040506 0708090a0b0c0d0e ff"),
            Frames.Written(buffer =>
            {
                buffer.WriteU8(0xFF);
                int first = buffer.Reserve(2);
                int second = buffer.Reserve(4);
                int third = buffer.Reserve(8);
                buffer.WriteU8(0xFF);
                buffer.PatchU16(first, 0x0102);
                buffer.PatchU32(second, 0x03040506);
                buffer.PatchU64(third, 0x0708090A0B0C0D0E);
            }));

    [Fact]
    public void Patch_Throws_OutsideWhatWasWritten()
    {
        using var buffer = new ChannelBuffer();
        buffer.WriteU16(1);

        Assert.ThrowsAny<ArgumentException>(() => buffer.PatchU32(0, 1));
    }

    [Fact]
    public void Content_SurvivesGrowth() =>
        Prop.ForAll(ArbMap.Default.ArbFor<byte[][]>(), pieces =>
        {
            using var buffer = new ChannelBuffer();
            var expected = new List<byte>();
            byte[] filler = new byte[ChannelBuffer.InitialBytes / 3];
            foreach (byte[] piece in pieces.Where(piece => piece is not null))
            {
                buffer.WriteBytes(piece);
                buffer.WriteBytes(filler);
                expected.AddRange(piece);
                expected.AddRange(filler);
            }

            return buffer.WrittenSpan.SequenceEqual(expected.ToArray());
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Write_Throws_AtTheMaximumAndKeepsWhatItHas()
    {
        using var buffer = new ChannelBuffer(maximumBytes: 100);
        buffer.WriteBytes(new byte[100]);

        Assert.Throws<ChannelBufferFullException>(() => buffer.WriteU8(1));
        Assert.Equal(100, buffer.Length);
    }

    [Fact]
    public void Advance_Throws_PastTheMaximum_ThoughThePooledArrayIsLarger()
    {
        using var buffer = new ChannelBuffer(maximumBytes: 100);

        Assert.Throws<ChannelBufferFullException>(() => buffer.Advance(101));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1000, true)]
    [InlineData(1001, false)]
    [InlineData(-1, false)]
    [InlineData(long.MaxValue, false)]
    public void TryReceive_RefusesMoreThanTheMaximum(long bytes, bool expected)
    {
        using var buffer = new ChannelBuffer(maximumBytes: 1000);

        Assert.Equal(expected, buffer.TryReceive(bytes, out Memory<byte> area));
        Assert.Equal(expected ? (int)bytes : 0, area.Length);
        Assert.Equal(area.Length, buffer.Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData("tab\there")]
    [InlineData("späť")]
    public void WriteName_Throws_WhenTheNameIsNotPrintableAscii(string name)
    {
        using var buffer = new ChannelBuffer();

        Assert.Throws<ArgumentException>(() => buffer.WriteName(name));
        Assert.Throws<ArgumentException>(() => buffer.WriteName(new string('a', 256)));
    }
}
