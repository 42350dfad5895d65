using Xunit;

namespace Kvm.Colo.Memory.Tests;

public sealed class CacheLinesTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(200)]
    [InlineData(GuestPage.SizeBytes)]
    public void FirstDifference_IsWhereTheFirstByteDiffers(int length)
    {
        byte[] one = new byte[length];
        new Random(length).NextBytes(one);
        byte[] other = [.. one];
        Assert.Equal(length, CacheLines.FirstDifference(one, other));
        for (int first = length - 1; first >= 0; first -= Math.Max(1, length / 300))
        {
            other[first] ^= 0x80;
            Assert.Equal(first, CacheLines.FirstDifference(one, other));
            Assert.Equal(first, CacheLines.FirstDifference(one, other, first / 2));
            Assert.Equal(first, CacheLines.FirstDifference(one, other, first, new NextPages(other, one)));
        }
    }

    [Fact]
    public void CopyDifferences_LeavesEqualBytes()
    {
        Random random = new(2);
        for (int round = 0; round < 300; round++)
        {
            byte[] source = new byte[random.Next(300)];
            random.NextBytes(source);
            byte[] target = [.. source];
            for (int i = random.Next(4); i > 0 && target.Length > 0; i--)
                target[random.Next(target.Length)]++;
            CacheLines.CopyDifferences(source, target);
            Assert.Equal(source, target);
        }
    }

    [Fact]
    public void Spans_OfDifferentLengthsAreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => CacheLines.FirstDifference(new byte[64], new byte[65]));
        Assert.Throws<ArgumentOutOfRangeException>(() => CacheLines.FirstDifference(new byte[64], new byte[64], 65));
        Assert.Throws<ArgumentOutOfRangeException>(() => CacheLines.FirstDifference(new byte[64], new byte[64], -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => CacheLines.CopyDifferences(new byte[65], new byte[64]));
    }

    [Fact]
    public void Fetch_TakesPagesThatAreShortOrHaveNoMemory()
    {
        using NativeMapping mapping = NativeMapping.Anonymous(GuestPage.SizeBytes);
        Span<byte> page = mapping.Slice(0, GuestPage.SizeBytes);
        byte[] other = new byte[GuestPage.SizeBytes];

        Assert.Equal(other.Length, CacheLines.FirstDifference(other, other, 0, new NextPages(page, other.AsSpan(0, 100))));
        Assert.Equal(other.Length, CacheLines.FirstDifference(other, other, 0, new NextPages([], page)));
        NextPages.Prefetch(ref page[100]);

        Assert.Equal(0, page[0]);
    }
}
