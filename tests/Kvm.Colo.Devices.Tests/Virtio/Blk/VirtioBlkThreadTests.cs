using Kvm.Colo.Block;
using Kvm.Colo.Devices.Tests.Virtio.Support;
using Kvm.Colo.Devices.Virtio;
using Kvm.Colo.Devices.Virtio.Blk;
using Kvm.Colo.Devices.Virtio.Mmio;
using Kvm.Colo.Memory;
using Kvm.Colo.Native.Io;
using static Kvm.Colo.Devices.Virtio.Blk.VirtioBlkProtocol;

namespace Kvm.Colo.Devices.Tests.Virtio.Blk;

/// <summary>
/// The disk with all its threads: a driver's, the I/O thread, the disk's, and one that checkpoints all the time.
/// </summary>
public sealed class VirtioBlkThreadTests : IDisposable
{
    private const ulong Headers = 0x20_0000;
    private const ulong Statuses = 0x21_0000;
    private const ulong Data = 0x22_0000;
    private const uint BlockBytes = 4096;
    private const int Depth = 32;
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"colo-{Guid.NewGuid():n}.img");
    private readonly GuestMemory _memory = GuestMemory.Create(8 << 20);
    private readonly List<Exception> _faults = [];
    private readonly RecordingLine _line = new();
    private readonly EpollLoop _loop;
    private readonly RawDisk _disk;
    private readonly VirtioBlk _device;
    private readonly VirtioMmioTransport _transport;
    private readonly GuestDriver _driver;

    public VirtioBlkThreadTests()
    {
        File.WriteAllBytes(_path, new byte[8 << 20]);
        _loop = new EpollLoop("io", _faults.Add, TimeProvider.System);
        _disk = RawDisk.Open(_path, isReadOnly: false, "vda");
        var host = new VirtioHost(_memory, _loop, TimeProvider.System, static _ => { });
        _device = new VirtioBlk(host, new VirtioBlkConfig("vda", 0, "s"), _disk);
        _transport = new VirtioMmioTransport(_device, _line);
        _driver = new GuestDriver(_memory, _transport);
    }

    public void Dispose()
    {
        _transport.Dispose();
        _device.Dispose();
        _disk.Dispose();
        _loop.Dispose();
        _memory.Dispose();
        File.Delete(_path);
        Assert.Empty(_faults);
    }

    // Every block is written with its own pattern and read back; every request ends once; checkpoints come between them at
    // random.
    [Fact]
    public void WritesAndReads_SurviveCheckpoints_ThatNeverStop()
    {
        _driver.Start(FeatureFlush | VirtioFeature.RingEventIndex);
        bool isDone = false;
        int checkpoints = 0;
        Exception? failure = null;
        using var hasBegun = new ManualResetEventSlim();
        var checkpointer = new Thread(() =>
        {
            try
            {
                while (!Volatile.Read(ref isDone))
                {
                    Assert.True(_device.TryQuiesce(s_deadline));
                    SavedState.Save(_device);
                    Assert.Equal(0, _device.InFlight);
                    _device.Resume();
                    checkpoints++;
                    hasBegun.Set();
                    Thread.Yield();
                }
            }
            catch (Exception e)
            {
                failure = e;
                hasBegun.Set();
            }
        });
        checkpointer.Start();
        Assert.True(hasBegun.Wait(s_deadline));
        for (int batch = 0; batch < 60; batch++)
        {
            RunBatch(batch, TypeOut);
            RunBatch(batch, TypeIn);
        }

        Volatile.Write(ref isDone, true);
        checkpointer.Join();
        Assert.Null(failure);
        Assert.NotEqual(0, checkpoints);
        Assert.Equal(0, _device.Faults.Count + _device.UnexpectedExceptions);
    }

    private void RunBatch(int batch, uint type)
    {
        GuestQueue queue = _driver.Queues[0];
        for (int i = 0; i < Depth; i++)
        {
            ulong block = (ulong)(((batch * Depth) + i) % 2048);
            byte[] header = new byte[16];
            header[0] = (byte)type;
            BitConverter.TryWriteBytes(header.AsSpan(8), block * 8);
            Write(Headers + (16ul * (uint)i), header);
            Write(Statuses + (uint)i, [0xFF]);
            ulong at = Data + (BlockBytes * (uint)i);
            Write(at, Enumerable.Repeat(type == TypeOut ? Pattern(batch, i) : (byte)0, (int)BlockBytes).ToArray());
            queue.Add(
                GuestBuffer.ToDevice(Headers + (16ul * (uint)i), 16),
                type == TypeOut ? GuestBuffer.ToDevice(at, BlockBytes) : GuestBuffer.ToDriver(at, BlockBytes),
                GuestBuffer.ToDriver(Statuses + (uint)i, 1));
        }

        _driver.Notify(0);
        for (int ended = 0; ended < Depth;)
        {
            if (queue.TryTakeUsed(out _, out _))
            {
                ended++;
                continue;
            }

            // As a driver: take the last interrupt, ask for one at the next request, look once more, then wait.
            _driver.TakeInterrupt();
            queue.SetUsedEvent((ushort)(((batch * 2) + (type == TypeIn ? 1 : 0)) * Depth + ended));
            Interlocked.MemoryBarrier();
            if (!queue.HasUsed)
                _line.WaitForRiseOr(() => queue.HasUsed);
        }

        for (int i = 0; i < Depth; i++)
        {
            Assert.Equal(StatusOk, Read(Statuses + (uint)i, 1)[0]);
            ReadOnlySpan<byte> block = Read(Data + (BlockBytes * (uint)i), (int)BlockBytes);
            Assert.True(block.IndexOfAnyExcept(Pattern(batch, i)) < 0, $"block {i} of {batch}");
        }
    }

    private static byte Pattern(int batch, int i) => (byte)(1 + (((batch * 37) + i) % 255));

    private void Write(ulong address, byte[] content) =>
        Assert.True(_memory.TryWrite(new GuestPhysicalAddress(address), content));

    private byte[] Read(ulong address, int length)
    {
        byte[] content = new byte[length];
        Assert.True(_memory.TryRead(new GuestPhysicalAddress(address), content));
        return content;
    }
}
