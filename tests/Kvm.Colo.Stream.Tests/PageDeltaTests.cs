using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Kvm.Colo.Stream.Tests;

public sealed class PageDeltaTests
{
    [Theory]
    [InlineData("0000000000000000", "0000000000000000", "")]
    [InlineData("0000000000000000", "1100000000000000", "00 01 11")]
    [InlineData("0000000000000000", "0000000011220000", "04 02 1122")]
    [InlineData("0000000000000000", "0000000000000011", "07 01 11")]
    [InlineData("0000000000000000", "1100002200000000", "00 04 11000022")]
    [InlineData("0000000000000000", "1100000022000000", "00 01 11 03 01 22")]
    public void Encode_IsGolden(string before, string after, string delta)
    {
        byte[] destination = new byte[64];

        int length = PageDelta.Encode(Frames.Hex(before), Frames.Hex(after), destination);

        Assert.Equal(Frames.Hex(delta), destination[..length]);
    }

    [Fact]
    public void Encode_UsesTwoLengthBytes_From128()
    {
        byte[] after = new byte[4096];
        after[200] = 0xAA;
        byte[] destination = new byte[64];

        int length = PageDelta.Encode(new byte[4096], after, destination);

        Assert.Equal(Frames.Hex("c801 01 aa"), destination[..length]);
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("00 01 11", 0)]
    [InlineData("04 02 1122", 4)]
    [InlineData("c801 01 aa", 200)]
    public void FirstChange_IsTheFirstByteThatIsWritten(string delta, int position) =>
        Assert.Equal(position, PageDelta.FirstChange(Frames.Hex(delta)));

    [Fact]
    public void TryApply_RestoresThePage_ForAnyEdits()
    {
        Gen<byte[][]> pages = Gen.Choose(0, int.MaxValue).Select(Edited);
        Prop.ForAll(pages.ToArbitrary(), pair =>
        {
            byte[] delta = new byte[8192];
            int length = PageDelta.Encode(pair[0], pair[1], delta);
            byte[] page = [.. pair[0]];
            return length >= 0 && PageDelta.TryApply(delta.AsSpan(0, length), page) && page.AsSpan().SequenceEqual(pair[1]);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Encode_GivesMinusOne_ExactlyWhenTheDeltaDoesNotFit()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            byte[][] pair = Edited(seed);
            byte[] delta = new byte[8192];
            int length = PageDelta.Encode(pair[0], pair[1], delta);
            Assert.Equal(length, PageDelta.Encode(pair[0], pair[1], delta.AsSpan(0, length)));
            if (length > 0)
                Assert.Equal(-1, PageDelta.Encode(pair[0], pair[1], delta.AsSpan(0, length - 1)));
        }
    }

    [Theory]
    [InlineData("00")]
    [InlineData("00 00")]
    [InlineData("00 01")]
    [InlineData("08 01 11")]
    [InlineData("07 02 1122")]
    [InlineData("00 01 11 00 01 22")]
    [InlineData("00 01 11 07")]
    [InlineData("00 01 11 06 02 2233")]
    [InlineData("ffff 01 11")]
    [InlineData("80")]
    [InlineData("ff7f 01 11")]
    public void TryApply_RefusesAndLeavesThePage_WhenTheDeltaIsIllegal(string hex)
    {
        byte[] page = Frames.Hex("a0a1a2a3a4a5a6a7");

        Assert.False(PageDelta.TryApply(Frames.Hex(hex), page));
        Assert.Equal(Frames.Hex("a0a1a2a3a4a5a6a7"), page);
    }

    [Fact]
    public void TryApply_NeverThrows_AndLeavesThePageWhenItRefuses()
    {
        byte[] original = Edited(3)[0];
        byte[] frame = new byte[8192];
        int length = PageDelta.Encode(Edited(9)[0], Edited(9)[1], frame);
        byte[] page = [.. original];
        Frames.Fuzz(5, 20_000, frame[..length], delta =>
        {
            bool applied = PageDelta.TryApply(delta, page);
            if (applied)
                original.CopyTo(page.AsSpan());
            Assert.True(page.AsSpan().SequenceEqual(original));
            return applied ? FrameStatus.Ok : FrameStatus.Malformed;
        });
    }

    [Fact]
    public void Hash_DependsOnSeedAndEveryByte()
    {
        byte[] page = Edited(1)[0];
        UInt128 hash = PageHash.Compute(page, 42);

        Assert.Equal(hash, PageHash.Compute([.. page], 42));
        Assert.NotEqual(hash, PageHash.Compute(page, 43));
        for (int index = 0; index < page.Length; index += 97)
        {
            page[index] ^= 1;
            Assert.NotEqual(hash, PageHash.Compute(page, 42));
            page[index] ^= 1;
        }
    }

    [Fact]
    public void IsZero_SeesEverySingleByte()
    {
        byte[] page = new byte[4096];
        Assert.True(PageHash.IsZero(page));
        for (int index = 0; index < page.Length; index++)
        {
            page[index] = 1;
            Assert.False(PageHash.IsZero(page));
            page[index] = 0;
        }
    }

    // A capture reads pages of a running guest.
    [Fact]
    public void PageThatChangesMeanwhile_GivesALegalDelta()
    {
        byte[] before = new byte[4096];
        byte[] after = new byte[4096];
        byte[] delta = new byte[3072];
        bool isOver = false;
        Thread guest = new(() =>
        {
            Random random = new(1);
            while (!Volatile.Read(ref isOver))
                after.AsSpan(random.Next(4000), random.Next(1, 9)).Fill((byte)random.Next(2));
        });
        guest.Start();
        for (int round = 0; round < 50_000; round++)
        {
            int length = PageDelta.Encode(before, after, delta);
            if (length > 0)
                Assert.True(PageDelta.IsLegal(delta.AsSpan(0, length), before.Length), $"round {round}: {Convert.ToHexString(delta, 0, length)}");
        }

        Volatile.Write(ref isOver, true);
        guest.Join();
    }

    /// <summary>A random page and a copy with random edits: single bytes, runs, with gaps of every small size.</summary>
    private static byte[][] Edited(int seed)
    {
        var random = new Random(seed);
        byte[] before = new byte[4096];
        random.NextBytes(before);
        byte[] after = [.. before];
        for (int edits = random.Next(40); edits > 0; edits--)
        {
            int start = random.Next(after.Length);
            int length = Math.Min(random.Next(1, random.Next(2) == 0 ? 6 : 600), after.Length - start);
            for (int index = start; index < start + length; index++)
                after[index] = random.Next(8) == 0 ? before[index] : (byte)random.Next(256);
        }

        return [before, after];
    }
}
