using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.Memory.Tests;

public sealed class PageBitmapTests
{
    [Fact]
    public void Scans_FindTheOutermostWords_WhereverTheyStand()
    {
        Random random = new(1);
        for (int length = 0; length < 70; length++)
        {
            ulong[] words = new ulong[length];
            Assert.Equal((length, 0), (BitWords.NextNonZero(words, 0), BitWords.EndOfNonZero(words)));
            for (int round = 0; round < 50 && length > 0; round++)
            {
                Array.Clear(words);
                int[] set = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(length)).Order()];
                foreach (int word in set)
                    words[word] = 1ul << random.Next(64);
                Assert.Equal(set[^1] + 1, BitWords.EndOfNonZero(words));
                int from = random.Next(length + 1);
                int expected = set.Where(word => word >= from).DefaultIfEmpty(length).First();
                Assert.Equal(expected, BitWords.NextNonZero(words, from));
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(1000)]
    [InlineData(4096)]
    public void Operations_FollowASetOfPages(int pageCount)
    {
        using PageBitmap bitmap = new((ulong)pageCount);
        using PageBitmap other = new((ulong)pageCount);
        HashSet<ulong> model = [];
        HashSet<ulong> otherModel = [];
        Random random = new(pageCount);
        for (int step = 0; step < 3000; step++)
        {
            ulong page = (ulong)random.Next(pageCount);
            switch (random.Next(40))
            {
                case < 20:
                    bitmap.Mark(page);
                    model.Add(page);
                    break;
                case < 28:
                    bitmap.Clear(page);
                    model.Remove(page);
                    break;
                case < 34:
                    other.Mark(page);
                    otherModel.Add(page);
                    break;
                case 34:
                    bitmap.TakeFrom(other);
                    model.UnionWith(otherModel);
                    otherModel.Clear();
                    break;
                case 35:
                    bitmap.Add(other);
                    model.UnionWith(otherModel);
                    break;
                case 36:
                    bitmap.ClearAll();
                    model.Clear();
                    break;
                case 37:
                    bitmap.Set(page);
                    model.Add(page);
                    break;
                case 38 when random.Next(10) == 0:
                    bitmap.SetAll();
                    model.UnionWith(Enumerable.Range(0, pageCount).Select(i => (ulong)i));
                    break;
                default:
                    break;
            }

            Assert.Equal(model.Contains(page), bitmap.IsSet(page));
            Assert.Equal((ulong)model.Count, bitmap.CountSet());
            Assert.Equal((ulong)otherModel.Count, other.CountSet());
            Assert.Equal(Next(model, page, pageCount, wanted: true), bitmap.NextSet(page));
            Assert.Equal(Next(model, page, pageCount, wanted: false), bitmap.NextClear(page));
        }
    }

    [Fact]
    public void Constructor_RefusesNoPagesAndMoreThanMemoryHolds()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new PageBitmap(0));
        Assert.Throws<OverflowException>(() => new PageBitmap(1ul << 60));
    }

    [Fact]
    public void Access_BeyondTheEndIsRefusedOrEmpty()
    {
        using PageBitmap bitmap = new(100);
        bitmap.SetAll();

        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.Mark(100));
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.Mark(ulong.MaxValue));
        Assert.False(bitmap.IsSet(100));
        Assert.False(bitmap.IsSet(ulong.MaxValue));
        bitmap.Clear(ulong.MaxValue);
        Assert.Equal(100ul, bitmap.CountSet());
        Assert.Equal(100ul, bitmap.NextSet(100));
        Assert.Equal(100ul, bitmap.NextSet(ulong.MaxValue));
        Assert.Equal(100ul, bitmap.NextClear(0));
    }

    [Fact]
    public void Bitmaps_OfAnotherSizeAreRefused()
    {
        using PageBitmap small = new(64);
        using PageBitmap large = new(65);

        Assert.Throws<ArgumentOutOfRangeException>(() => small.TakeFrom(large));
        Assert.Throws<ArgumentOutOfRangeException>(() => large.Add(small));
    }

    [Fact]
    public void Words_AreTheBits()
    {
        using PageBitmap bitmap = new(130);

        bitmap.Mark(129);
        bitmap.SetWord(0, 5);

        Assert.Equal(3, bitmap.WordCount);
        Assert.Equal([5ul, 0ul, 2ul], Enumerable.Range(0, 3).Select(bitmap.Word));
        Assert.Equal([0, 2, 2, 3, 3], Enumerable.Range(0, 5).Select(bitmap.NextWord));
        Assert.Equal([0ul, 2ul, 129ul, 130ul], new ulong[] { 0, 1, 3, 130 }.Select(bitmap.NextSet));
    }

    [Fact]
    public void Words_AreReplacedOrAdded()
    {
        using PageBitmap bitmap = new(64 * 200);
        bitmap.SetWord(150, 6);

        bitmap.AddWords(149, [0, 1, 8]);
        Assert.Equal([(64ul * 150) + 0, (64 * 150) + 1, (64 * 150) + 2, (64 * 151) + 3], All(bitmap));

        bitmap.SetWord(150, 0);
        Assert.Equal([(64ul * 151) + 3], All(bitmap));

        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.SetWord(200, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.SetWord(-1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.AddWords(199, [0, 0]));
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.AddWords(-1, [0]));
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.AddWords(0, new ulong[201]));
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.Set(64 * 200));
    }

    [Theory]
    [InlineData(64)] // one word: every mark races with every take
    [InlineData(64 * 3)] // one block of words
    [InlineData(64 * 64 * 2)]
    public void MarksAndTakes_FromTwoThreadsLoseNothing(int pages)
    {
        using PageBitmap source = new((ulong)pages);
        using PageBitmap target = new((ulong)pages);
        const int Rounds = 200_000;
        int[] taken = new int[pages];
        int[] marked = new int[pages];
        bool done = false;
        TestThread marker = TestThread.Start("marker", () =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                ulong page = (ulong)(i * 67L % pages);
                if (source.IsSet(page))
                    continue;
                marked[page]++;
                source.Mark(page);
            }

            Volatile.Write(ref done, true);
        });

        bool last = false;
        while (!last)
        {
            last = Volatile.Read(ref done);
            target.ClearAll();
            target.TakeFrom(source);
            for (ulong page = target.NextSet(0); page < target.PageCount; page = target.NextSet(page + 1))
                taken[page]++;
        }

        marker.Join(TimeSpan.FromSeconds(30));
        Assert.Equal(marked, taken);
    }

    [Fact]
    public void Marks_ThatSurviveClearing_AreFound()
    {
        using PageBitmap bitmap = new(64 * 3);
        const int Rounds = 200_000;
        bool done = false;
        TestThread marker = TestThread.Start("marker", () =>
        {
            for (int i = 0; i < Rounds; i++)
                bitmap.Mark((ulong)(i * 67L % (64 * 3)));
            Volatile.Write(ref done, true);
        });
        while (!Volatile.Read(ref done))
            bitmap.ClearAll();

        marker.Join(TimeSpan.FromSeconds(30));
        Assert.Equal(Enumerable.Range(0, 64 * 3).Select(static page => (ulong)page).Where(bitmap.IsSet), All(bitmap));
    }

    private static IEnumerable<ulong> All(PageBitmap bitmap)
    {
        for (ulong page = bitmap.NextSet(0); page < bitmap.PageCount; page = bitmap.NextSet(page + 1))
            yield return page;
    }

    private static ulong Next(HashSet<ulong> model, ulong from, int pageCount, bool wanted)
    {
        while (from < (ulong)pageCount && model.Contains(from) != wanted)
            from++;
        return from;
    }
}
