using Kvm.Colo.Native;

namespace Kvm.Colo.Block.Tests;

public sealed class ReplicatedDiskTests : IDisposable
{
    private const int ImageBytes = 4 << 20;
    private const int Sector = ReplicatedDisk.SectorBytes;

    private readonly TemporaryImage _image = new(ImageBytes);
    private readonly DiskBench _bench = new();
    private readonly List<string> _reports = [];

    public void Dispose()
    {
        _bench.Dispose();
        _image.Dispose();
    }

    [Fact]
    public void Recording_KnowsEverySectorThatWasWritten()
    {
        using ReplicatedDisk disk = Open();
        disk.BeginRecording(static () => { });
        _bench.Write(disk, 1024, 1024, 1);
        _bench.Write(disk, 1024, 512, 2);
        _bench.Do(disk, BlockOperation.WriteZeroes, 8192, 4096);
        _bench.Do(disk, BlockOperation.Discard, 1 << 20, 512);
        _bench.Read(disk, 0, 512);
        _bench.Do(disk, BlockOperation.Flush);
        Assert.Equal(Errno.EINVAL, _bench.Do(disk, BlockOperation.WriteZeroes, ImageBytes, 512));
        Assert.Equal(1024ul + 4096 + 512, disk.DirtyBytes);
        disk.Freeze();
        Assert.Equal([(2ul, 2ul), (16ul, 8ul), (2048ul, 1ul)], TakeFrozen(disk));
        Assert.Equal(0ul, disk.DirtyBytes);
    }

    [Fact]
    public void FrozenSectors_KeepTheirContentUntilTheyWereRead()
    {
        using ReplicatedDisk disk = Open();
        disk.BeginRecording(static () => { });
        _bench.Write(disk, 0, 4096, 1);
        disk.Freeze();
        BenchRequest overlapping = _bench.BeginWrite(disk, 2048, [.. Enumerable.Repeat((byte)2, 4096)]);
        _bench.Write(disk, 8192, 512, 3); // elsewhere nothing waits
        Assert.False(overlapping.Ended.IsSet);
        Assert.Equal(1, disk.InFlight);
        Assert.Equal([.. Enumerable.Repeat((byte)1, 4096)], _bench.Read(disk, 0, 4096));
        disk.Thaw(0, 4);
        Assert.False(overlapping.Ended.IsSet);
        disk.Thaw(4, 4);
        Assert.Equal(Errno.None, DiskBench.Await(overlapping));
        Assert.Equal(2, _bench.Read(disk, 2048, 512)[0]);
        Assert.Equal(4096ul + 512, disk.DirtyBytes);
        Assert.True(disk.Drain(DiskBench.Deadline));
    }

    [Fact]
    public void EndOfRecording_LetsWaitingWritesGo()
    {
        using ReplicatedDisk disk = Open();
        disk.BeginRecording(static () => { });
        _bench.Write(disk, 0, 512, 1);
        disk.Freeze();
        BenchRequest waiting = _bench.BeginWrite(disk, 0, new byte[512]);
        disk.EndRecording();
        Assert.Equal(Errno.None, DiskBench.Await(waiting));
        Assert.Equal(ReplicatedDiskMode.Ordinary, disk.Mode);
    }

    [Fact]
    public void MuchDirtyData_AsksForACheckpointOnce_AndThenCongests()
    {
        int asked = 0;
        using TemporaryImage image = new(2 * (long)ReplicatedDisk.CongestionBytes);
        using ReplicatedDisk disk = Open(image);
        disk.BeginRecording(() => asked++);
        WriteMiB(disk, 0, 9);
        Assert.Equal(0, asked); // the first pass takes what comes
        disk.LimitEpochs();
        Assert.Equal(1, asked);
        WriteMiB(disk, 9, 22);
        Assert.Equal(1, asked);
        Assert.False(disk.IsCongested);
        WriteMiB(disk, 31, 1);
        Assert.True(disk.IsCongested);
        disk.Freeze();
        Assert.False(disk.IsCongested);
        TakeFrozen(disk);
        WriteMiB(disk, 0, 8);
        Assert.Equal(2, asked);
    }

    [Fact]
    public void Speculation_IsSeenByTheGuest_AndLeavesTheImageAlone()
    {
        Random random = new(17);
        byte[] image = Noise(random);
        File.WriteAllBytes(_image.Path, image);
        using ReplicatedDisk disk = Open();
        disk.BeginSpeculation();
        byte[] model = [.. image];
        for (int epoch = 0; epoch < 4; epoch++)
        {
            for (int i = 0; i < 200; i++)
                Step(disk, model, random);
            Assert.Equal(model, _bench.Read(disk, 0, ImageBytes / 2).Concat(_bench.Read(disk, ImageBytes / 2, ImageBytes / 2)));
            Assert.Equal(image, File.ReadAllBytes(_image.Path));
            Assert.True(disk.OverlayBytes > 0);
            disk.DropSpeculation();
            Assert.Equal(0ul, disk.OverlayBytes);
            random.NextBytes(image.AsSpan(8192, 4096)); // an epoch's data
            Assert.Equal(Errno.None, disk.Image.Write(8192, image.AsSpan(8192, 4096)));
            image.CopyTo(model, 0);
            Assert.Equal(image.AsSpan(0, 65536).ToArray(), _bench.Read(disk, 0, 65536));
        }

        Assert.Equal(Errno.None, _bench.Do(disk, BlockOperation.Flush));
    }

    [Fact]
    public void Takeover_MergesTheOverlayWhileTheGuestWrites()
    {
        Random random = new(18);
        byte[] model = Noise(random);
        File.WriteAllBytes(_image.Path, model);
        using (ReplicatedDisk disk = Open())
        {
            disk.BeginSpeculation();
            for (int i = 0; i < 400; i++)
                Step(disk, model, random);
            disk.EndSpeculation();
            for (int i = 0; i < 400; i++)
                Step(disk, model, random);
            Assert.Equal(Errno.None, _bench.Do(disk, BlockOperation.Flush));
            Assert.Equal(model, File.ReadAllBytes(_image.Path));
            Assert.True(disk.WaitUntilMerged(DiskBench.Deadline));
            Assert.Equal(ReplicatedDiskMode.Ordinary, disk.Mode);
            disk.BeginRecording(static () => { }); // protected again
            Step(disk, model, random);
        }

        Assert.Equal(model, File.ReadAllBytes(_image.Path));
        Assert.Empty(_reports);
    }

    [Fact]
    public void Dispose_RightAfterATakeover_LosesNothing()
    {
        Random random = new(19);
        byte[] model = new byte[ImageBytes];
        using (ReplicatedDisk disk = Open())
        {
            disk.BeginSpeculation();
            for (int i = 0; i < 300; i++)
                Step(disk, model, random);
            disk.EndSpeculation();
        }

        Assert.Equal(model, File.ReadAllBytes(_image.Path));
    }

    [Fact]
    public void Dispose_OfASecondary_LeavesTheImageAtItsLastEpoch()
    {
        using (ReplicatedDisk disk = Open())
        {
            disk.BeginSpeculation();
            _bench.Write(disk, 0, 4096, 7);
        }

        Assert.All(File.ReadAllBytes(_image.Path), static b => Assert.Equal(0, b));
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(_image.Path)!, Path.GetFileName(_image.Path)));
    }

    private ReplicatedDisk Open() => Open(_image);

    private ReplicatedDisk Open(TemporaryImage image) =>
        new(RawDisk.Open(image.Path, isReadOnly: false, "d"), ScratchFile.FolderFor(image.Path), _reports.Add);

    private static byte[] Noise(Random random)
    {
        byte[] bytes = new byte[ImageBytes];
        random.NextBytes(bytes);
        return bytes;
    }

    // One operation, on the disk and on the model.
    private void Step(ReplicatedDisk disk, byte[] model, Random random)
    {
        int sectors = random.Next(1, 65);
        int first = random.Next((ImageBytes / Sector) - sectors);
        (ulong offset, int length) = ((ulong)first * Sector, sectors * Sector);
        switch (random.Next(6))
        {
            case 0:
                Assert.Equal(Errno.None, _bench.Do(disk, BlockOperation.WriteZeroes, offset, (ulong)length));
                model.AsSpan((int)offset, length).Clear();
                break;
            case 1 or 2:
                Assert.Equal(model.AsSpan((int)offset, length).ToArray(), _bench.Read(disk, offset, length));
                break;
            default:
                byte[] data = new byte[length];
                random.NextBytes(data);
                Assert.Equal(Errno.None, _bench.Write(disk, offset, data));
                data.CopyTo(model, (int)offset);
                break;
        }
    }

    private void WriteMiB(ReplicatedDisk disk, int first, int count)
    {
        for (int i = 0; i < count; i++)
            Assert.Equal(Errno.None, _bench.Write(disk, (ulong)(first + i) << 20, 1 << 20, 1));
    }

    private static List<(ulong First, ulong Count)> TakeFrozen(ReplicatedDisk disk)
    {
        List<(ulong, ulong)> runs = [];
        while (disk.TryNextFrozen(ulong.MaxValue, out ulong first, out ulong count))
        {
            runs.Add((first, count));
            disk.Thaw(first, count);
        }

        return runs;
    }
}
