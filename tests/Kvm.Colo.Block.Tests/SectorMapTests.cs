using Kvm.Colo.Block;

namespace Kvm.Colo.Block.Tests;

public class SectorMapTests
{
    private const int Sectors = 100_003;

    [Fact]
    public void Operations_AgreeWithASetOfBools()
    {
        Random random = new(3);
        using SectorMap map = new(Sectors);
        bool[] model = new bool[Sectors];
        for (int round = 0; round < 3000; round++)
        {
            int first = random.Next(Sectors);
            int count = random.Next(Math.Min(Sectors - first, random.Next(2) == 0 ? 70_000 : 100)) + 1;
            bool isAdded = random.Next(3) != 0;
            if (isAdded)
                map.Add((ulong)first, (ulong)count);
            else
                map.Remove((ulong)first, (ulong)count);
            model.AsSpan(first, count).Fill(isAdded);
            if (random.Next(100) == 0)
            {
                map.Clear();
                Array.Clear(model);
            }

            Assert.Equal((ulong)model.Count(static set => set), map.Count);
            int from = random.Next(Sectors);
            Assert.Equal(Next(model, from, true), map.NextSet((ulong)from));
            Assert.Equal(Next(model, from, false), map.NextClear((ulong)from));
            int length = random.Next(Sectors - from) + 1;
            Assert.Equal(model.AsSpan(from, length).Contains(true), map.Overlaps((ulong)from, (ulong)length));
        }
    }

    [Fact]
    public void EmptyMap_OfAHugeDisk_CostsNothing()
    {
        const ulong huge = 1ul << 33; // 4 TiB
        using SectorMap map = new(huge);
        Assert.Equal(huge, map.NextSet(0));
        map.Add(huge - 1, 1);
        Assert.Equal(huge - 1, map.NextSet(0));
        Assert.Equal(huge, map.NextClear(huge - 1));
        Assert.Equal(0ul, map.NextClear(0));
        map.Clear();
        Assert.Equal(huge, map.NextSet(0));
    }

    [Fact]
    public void WhatLiesOutside_IsRefused()
    {
        using SectorMap map = new(Sectors);
        Assert.Throws<ArgumentOutOfRangeException>(() => map.Add(Sectors, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => map.Add(1, Sectors));
        Assert.Throws<ArgumentOutOfRangeException>(() => map.Remove(ulong.MaxValue, 2));
        Assert.Equal((ulong)Sectors, map.NextSet(Sectors));
        Assert.Equal((ulong)Sectors, map.NextSet(ulong.MaxValue));
    }

    private static ulong Next(bool[] model, int from, bool wanted)
    {
        int at = Array.IndexOf(model, wanted, from);
        return (ulong)(at < 0 ? Sectors : at);
    }
}
