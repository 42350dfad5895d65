using Kvm.Colo.Block;

namespace Kvm.Colo.Devices.Virtio.Blk;

/// <summary>Sums of a disk since it was made. Written under the device's lock, read by anybody.</summary>
internal sealed class VirtioBlkCounters
{
    private readonly Sum[] _sums = [new(), new(), new(), new()];
    private long _highestWritten;

    public Sum Reads => _sums[0];

    /// <summary>Writes, and zeroes written.</summary>
    public Sum Writes => _sums[1];

    public Sum Flushes => _sums[2];

    public Sum Discards => _sums[3];

    /// <summary>End of the write nearest to the end of the disk, in bytes.</summary>
    public long HighestWritten => Volatile.Read(ref _highestWritten);

    public void OnInvalid(BlockOperation operation) => Of(operation).CountInvalid();

    public void OnEnd(BlockRequest request, bool failed, TimeSpan duration)
    {
        Of(request.Operation).Count((long)request.LengthBytes, failed, duration);
        bool isWrite = request.Operation is BlockOperation.Write or BlockOperation.WriteZeroes;
        long end = (long)(request.OffsetBytes + request.LengthBytes);
        if (isWrite && !failed && end > _highestWritten)
            Volatile.Write(ref _highestWritten, end);
    }

    private Sum Of(BlockOperation operation) => operation switch
    {
        BlockOperation.Read => Reads,
        BlockOperation.Flush => Flushes,
        BlockOperation.Discard => Discards,
        _ => Writes,
    };

    /// <summary>One kind of request; failed and invalid ones are not in the first three.</summary>
    internal sealed class Sum
    {
        private long _operations;
        private long _bytes;
        private long _ticks;
        private long _failed;
        private long _invalid;

        public long Operations => Volatile.Read(ref _operations);

        public long Bytes => Volatile.Read(ref _bytes);

        public TimeSpan Time => TimeSpan.FromTicks(Volatile.Read(ref _ticks));

        public long Failed => Volatile.Read(ref _failed);

        public long Invalid => Volatile.Read(ref _invalid);

        public void Count(long bytes, bool failed, TimeSpan duration)
        {
            if (failed)
            {
                Volatile.Write(ref _failed, _failed + 1);
                return;
            }

            Volatile.Write(ref _operations, _operations + 1);
            Volatile.Write(ref _bytes, _bytes + bytes);
            Volatile.Write(ref _ticks, _ticks + duration.Ticks);
        }

        public void CountInvalid() => Volatile.Write(ref _invalid, _invalid + 1);
    }
}
