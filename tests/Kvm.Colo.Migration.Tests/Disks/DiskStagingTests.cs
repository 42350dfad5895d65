using Kvm.Colo.Migration.Disks;
using Kvm.Colo.Stream;
using Xunit;

namespace Kvm.Colo.Migration.Tests.Disks;

public sealed class DiskStagingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("colo-staging-").FullName;
    private readonly DiskStaging _staging;

    public DiskStagingTests() => _staging = new DiskStaging(_folder);

    public void Dispose()
    {
        _staging.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Runs_ComeBackAsTheyWent_AlsoBeyondMemory()
    {
        for (int epoch = 0; epoch < 3; epoch++)
        {
            _staging.Reset();
            Random random = new(epoch);
            List<byte[]> model = [];
            ulong at = 0;
            for (ulong bytes = 0; bytes < 2 * DiskStaging.MemoryBytes;)
            {
                bool isZero = random.Next(8) == 0;
                byte[] data = new byte[512 * random.Next(1, 513)];
                random.NextBytes(data);
                at += (ulong)(512 * random.Next(3));
                Assert.True(_staging.TryAdd(new DiskRun(0, at, (uint)data.Length, isZero)));
                if (!isZero)
                {
                    _staging.Append(data.AsSpan(0, 512)); // also in pieces
                    _staging.Append(data.AsSpan(512));
                }

                model.Add(isZero ? [] : data);
                at += (ulong)data.Length;
                bytes += (ulong)data.Length;
            }

            Assert.Equal(model.Count, _staging.Count);
            byte[] read = new byte[DiskRun.MaxDataBytes];
            foreach (int index in Enumerable.Range(0, model.Count).OrderBy(_ => random.Next()))
            {
                _staging.Read(index, read);
                Assert.True(read.AsSpan(0, model[index].Length).SequenceEqual(model[index]));
            }
        }

        Assert.Empty(Directory.GetFiles(_folder)); // it has no name
    }

    [Fact]
    public void Runs_MustAscend()
    {
        Assert.True(_staging.TryAdd(new DiskRun(0, 4096, 1024, true)));
        Assert.False(_staging.TryAdd(new DiskRun(0, 4096, 512, true)));
        Assert.False(_staging.TryAdd(new DiskRun(0, 4608, 512, true)));
        Assert.False(_staging.TryAdd(new DiskRun(0, 0, 512, true)));
        Assert.True(_staging.TryAdd(new DiskRun(0, 5120, 512, true)));
        Assert.True(_staging.TryAdd(new DiskRun(2, 0, 512, true)));
        Assert.False(_staging.TryAdd(new DiskRun(1, 0, 512, true)));
        Assert.Equal(3, _staging.Count);
        Assert.Equal(2048ul, _staging.CoveredBytes);
    }

    [Fact]
    public void Runs_AreBounded()
    {
        for (int i = 0; i < DiskStaging.MaxRuns; i++)
            Assert.True(_staging.TryAdd(new DiskRun(0, (ulong)i * 1024, 512, true)));
        Assert.False(_staging.TryAdd(new DiskRun(0, DiskStaging.MaxRuns * 1024ul, 512, true)));
    }

    [Fact]
    public void NoPlaceForWhatDoesNotFit_IsAnIOException()
    {
        using DiskStaging staging = new(Path.Combine(_folder, "missing"));
        byte[] data = new byte[DiskRun.MaxDataBytes];
        ulong at = 0;
        for (int i = 0; i < DiskStaging.MemoryBytes / data.Length; i++, at += (ulong)data.Length)
        {
            Assert.True(staging.TryAdd(new DiskRun(0, at, (uint)data.Length, false)));
            staging.Append(data);
        }

        Assert.True(staging.TryAdd(new DiskRun(0, at, 512, false)));
        Assert.ThrowsAny<IOException>(() => staging.Append(data.AsSpan(0, 512)));
    }
}
