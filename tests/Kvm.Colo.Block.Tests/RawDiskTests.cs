using Kvm.Colo.Memory;
using Kvm.Colo.Native;

namespace Kvm.Colo.Block.Tests;

public sealed class RawDiskTests : IDisposable
{
    private const int ImageBytes = 4 << 20;
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);
    private readonly TemporaryImage _image = new(ImageBytes);
    private readonly GuestMemory _memory = GuestMemory.Create(8 << 20);

    public void Dispose()
    {
        _memory.Dispose();
        _image.Dispose();
    }

    [Fact]
    public void WriteThenRead_GivesTheBytesBack_AlsoInPieces()
    {
        byte[] content = new byte[64 * 1024];
        new Random(7).NextBytes(content);
        using (RawDisk disk = RawDisk.Open(_image.Path, isReadOnly: false, "d"))
        {
            Fill(0x1000, content);
            (ulong Address, uint Length)[] pieces = [(0x1000, 512), (0x1200, 40_000), (0x1000 + 40_512, 25_024)];
            Assert.Equal(Errno.None, Run(disk, BlockOperation.Write, 8192, pieces));
            Assert.Equal(Errno.None, Run(disk, BlockOperation.Read, 8192, (0x20_0000, 65_024), (0x30_0000, 512)));
            Assert.Equal(Errno.None, Run(disk, BlockOperation.Flush, 0));
            Assert.True(disk.Drain(s_deadline));
            Assert.Equal(0, disk.InFlight);
        }

        Assert.Equal(content, Take(0x20_0000, 65_024).Concat(Take(0x30_0000, 512)));
        Assert.Equal(content, File.ReadAllBytes(_image.Path).AsSpan(8192, content.Length).ToArray());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WriteZeroes_AndDiscard_LeaveZeroesInAHole(bool mayUnmap)
    {
        File.WriteAllBytes(_image.Path, Enumerable.Repeat((byte)0xAA, ImageBytes).ToArray());
        using RawDisk disk = RawDisk.Open(_image.Path, isReadOnly: false, "d");
        var request = NewRequest(BlockOperation.WriteZeroes, 512, 200 * 1024);
        request.Request.MayUnmap = mayUnmap;
        Assert.Equal(Errno.None, request.Run(disk));
        Assert.Equal(Errno.None, NewRequest(BlockOperation.Discard, 1 << 20, 1 << 20).Run(disk));
        byte[] after = File.ReadAllBytes(_image.Path);
        Assert.Equal(ImageBytes, after.Length);
        Assert.Equal(0xAA, after[511]);
        Assert.True(after.AsSpan(512, 200 * 1024).IndexOfAnyExcept((byte)0) < 0);
        Assert.Equal(0xAA, after[512 + (200 * 1024)]);
        Assert.True(after.AsSpan(1 << 20, 1 << 20).IndexOfAnyExcept((byte)0) < 0);
        Assert.Equal(0xAA, after[2 << 20]);
    }

    [Theory]
    [InlineData(0ul, 513u)]
    [InlineData(1ul, 512u)]
    [InlineData((ulong)ImageBytes, 512u)]
    [InlineData((ulong)ImageBytes - 512, 1024u)]
    [InlineData(ulong.MaxValue - 511, 512u)]
    public void Submit_Refuses_WhatDoesNotFit(ulong offset, uint length)
    {
        using RawDisk disk = RawDisk.Open(_image.Path, isReadOnly: false, "d");
        Assert.Equal(Errno.EINVAL, Run(disk, BlockOperation.Read, offset, (0x1000, length)));
        Assert.Equal(Errno.EINVAL, Run(disk, BlockOperation.Write, offset, (0x1000, length)));
        Assert.Equal(Errno.EINVAL, NewRequest(BlockOperation.Discard, offset, length).Run(disk));
    }

    [Fact]
    public void ReadOnly_RefusesEveryChange()
    {
        using RawDisk disk = RawDisk.Open(_image.Path, isReadOnly: true, "d");
        Assert.Equal(Errno.EROFS, Run(disk, BlockOperation.Write, 0, (0x1000, 512)));
        Assert.Equal(Errno.EROFS, NewRequest(BlockOperation.Discard, 0, 512).Run(disk));
        Assert.Equal(Errno.EROFS, NewRequest(BlockOperation.WriteZeroes, 0, 512).Run(disk));
        Assert.Equal(Errno.None, Run(disk, BlockOperation.Read, 0, (0x1000, 512)));
        Assert.Equal(Errno.None, Run(disk, BlockOperation.Flush, 0));
    }

    [Fact]
    public void Read_Fails_WhenTheImageWasCutShort()
    {
        using RawDisk disk = RawDisk.Open(_image.Path, isReadOnly: false, "d");
        using (FileStream file = new(_image.Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            file.SetLength(4096);
        Assert.Equal(Errno.EIO, Run(disk, BlockOperation.Read, 8192, (0x1000, 512)));
    }

    [Fact]
    public void Open_LocksTheImage()
    {
        using (RawDisk.Open(_image.Path, isReadOnly: false, "a"))
        {
            var refused = Assert.Throws<DiskOpenException>(() => RawDisk.Open(_image.Path, isReadOnly: false, "b"));
            Assert.Contains("in use", refused.Message, StringComparison.Ordinal);
            Assert.Throws<DiskOpenException>(() => RawDisk.Open(_image.Path, isReadOnly: true, "b"));
        }

        using RawDisk one = RawDisk.Open(_image.Path, isReadOnly: true, "a");
        using RawDisk two = RawDisk.Open(_image.Path, isReadOnly: true, "b");
        Assert.Throws<DiskOpenException>(() => RawDisk.Open(_image.Path, isReadOnly: false, "c"));
    }

    [Theory]
    [InlineData(0, "empty")]
    [InlineData(1000, "512-byte sectors")]
    public void Open_Refuses_WhatIsNoDisk(int bytes, string expected)
    {
        using var image = new TemporaryImage(bytes);
        var refused = Assert.Throws<DiskOpenException>(() => RawDisk.Open(image.Path, isReadOnly: false, "d"));
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Theory]
    [InlineData("/nonexistent/disk.img", "does not exist")]
    [InlineData("/tmp", "is a directory")]
    [InlineData("/dev/null", "neither a regular file nor a block device")]
    public void Open_SaysWhatIsWrong(string path, string expected)
    {
        var refused = Assert.Throws<DiskOpenException>(() => RawDisk.Open(path, isReadOnly: false, "d"));
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Drain_WaitsForEverything()
    {
        using RawDisk disk = RawDisk.Open(_image.Path, isReadOnly: false, "d");
        TestRequest[] requests =
            [.. Enumerable.Range(0, 64).Select(i => NewRequest(BlockOperation.Write, (ulong)i * 4096, 0, (0x1000, 4096)))];
        foreach (TestRequest request in requests)
            disk.Submit(request.Request);
        Assert.True(disk.Drain(s_deadline));
        Assert.Equal(0, disk.InFlight);
        Assert.All(requests, static request => Assert.Equal(1, request.Completions));
    }

    [Fact]
    public void RequestsThatWait_RunSideBySide_UpToTheLimit()
    {
        using RawDisk disk = RawDisk.Open(_image.Path, isReadOnly: false, "d");
        BlockRequest[] requests = OccupyAllWorkers(disk);
        Assert.Equal(0, disk.InFlight);
        Assert.All(requests, static request => Assert.Equal(Errno.None, request.Result));
    }

    [Fact]
    public void Steadily_NothingIsAllocated()
    {
        using RawDisk disk = RawDisk.Open(_image.Path, isReadOnly: false, "d");
        OccupyAllWorkers(disk);
        TestRequest request = NewRequest(BlockOperation.Write, 0, 0, (0x1000, 4096));
        long allocated = 0;
        for (int round = 0; round < 200; round++)
        {
            if (round == 100)
                allocated = GC.GetAllocatedBytesForCurrentThread();
            Load(request, (0x1000, 4096));
            disk.Submit(request.Request);
            request.Wait();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - allocated);
    }

    // Holds the ends of as many requests as the disk has threads at most; the same number again waits behind them.
    private static BlockRequest[] OccupyAllWorkers(RawDisk disk)
    {
        using var ends = new ManualResetEventSlim(initialState: false);
        using var atTheEnd = new SemaphoreSlim(0);
        var requests = new BlockRequest[RawDisk.WorkerLimit * 2];
        for (int i = 0; i < requests.Length; i++)
        {
            requests[i] = new BlockRequest(1, Completed) { Operation = BlockOperation.Flush };
            disk.Submit(requests[i]);
        }

        for (int i = 0; i < RawDisk.WorkerLimit; i++)
            Assert.True(atTheEnd.Wait(s_deadline), $"only {i} requests run side by side");
        Assert.Equal(requests.Length, disk.InFlight);
        ends.Set();
        Assert.True(disk.Drain(s_deadline));
        return requests;

        void Completed(BlockRequest request)
        {
            atTheEnd.Release();
            ends.Wait(s_deadline);
        }
    }

    private Errno Run(RawDisk disk, BlockOperation operation, ulong offset, params (ulong Address, uint Length)[] ranges) =>
        NewRequest(operation, offset, 0, ranges).Run(disk);

    private TestRequest NewRequest(
        BlockOperation operation, ulong offset, ulong length, params (ulong Address, uint Length)[] ranges)
    {
        var test = new TestRequest();
        test.Request.Operation = operation;
        test.Request.OffsetBytes = offset;
        test.Request.LengthBytes = length;
        foreach ((ulong Address, uint Length) range in ranges)
            Load(test, range, add: true);
        return test;
    }

    private void Load(TestRequest test, (ulong Address, uint Length) range, bool add = false)
    {
        if (!add)
        {
            test.Request.Vectors.Clear();
            test.Request.LengthBytes = 0;
        }

        Assert.True(_memory.TryGetHostRange(new GuestPhysicalAddress(range.Address), range.Length, out nuint host));
        Assert.True(test.Request.Vectors.TryAdd(host, range.Length));
        test.Request.LengthBytes += range.Length;
    }

    private void Fill(ulong address, byte[] content) => Assert.True(_memory.TryWrite(new GuestPhysicalAddress(address), content));

    private byte[] Take(ulong address, int length)
    {
        byte[] content = new byte[length];
        Assert.True(_memory.TryRead(new GuestPhysicalAddress(address), content));
        return content;
    }

    /// <summary>A request and the news of its end.</summary>
    private sealed class TestRequest
    {
        private readonly object _lock = new();
        private int _awaited;

        public TestRequest() => Request = new BlockRequest(8, OnCompleted);

        public BlockRequest Request { get; }

        public int Completions { get; private set; }

        public Errno Run(RawDisk disk)
        {
            disk.Submit(Request);
            Wait();
            return Request.Result;
        }

        public void Wait()
        {
            lock (_lock)
            {
                _awaited++;
                while (Completions < _awaited)
                    Assert.True(Monitor.Wait(_lock, s_deadline), "request not completed");
            }
        }

        private void OnCompleted(BlockRequest request)
        {
            lock (_lock)
            {
                Completions++;
                Monitor.PulseAll(_lock);
            }
        }
    }
}
