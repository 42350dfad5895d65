namespace Kvm.Colo.Benchmarks.Micro;

/// <summary>Page contents from a fixed seed.</summary>
internal static class Pages
{
    public const int SizeBytes = 4096;
    public const int Seed = 20231121;

    public static byte[] Random(int count)
    {
        byte[] pages = new byte[count * SizeBytes];
        new Random(Seed).NextBytes(pages);
        return pages;
    }

    /// <summary><paramref name="count"/> different page numbers below <paramref name="pageCount"/>, ascending.</summary>
    public static ulong[] Scattered(ulong pageCount, int count)
    {
        Random random = new(Seed);
        SortedSet<ulong> pages = [];
        while (pages.Count < count)
            pages.Add((ulong)random.NextInt64((long)pageCount));
        return [.. pages];
    }
}
