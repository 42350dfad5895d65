using System.Buffers.Binary;
using Kvm.Colo.Block;
using Kvm.Colo.Memory;
using static Kvm.Colo.Devices.Virtio.Blk.VirtioBlkProtocol;

namespace Kvm.Colo.Devices.Virtio.Blk;

/// <content>
/// Reading a request: the header is copied once, everything is checked on the copy, in 64 bits and without sums that wrap.
/// </content>
internal sealed partial class VirtioBlk
{
    private void Begin(VirtioBlkSlot slot)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        VirtqueueChain chain = slot.Chain;
        slot.FilledBytes = 0;
        if (chain.Read(Memory, 0, header) != HeaderBytes || chain.WritableBytes == 0)
        {
            Faults.Report("a request without header or status byte");
            Queue(0).Push(chain.Head, 0);
            Release(slot);
            return;
        }

        uint type = BinaryPrimitives.ReadUInt32LittleEndian(header);
        ulong sector = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        switch (type)
        {
            case TypeIn:
                BeginTransfer(slot, BlockOperation.Read, sector, chain.WritableBytes - 1);
                break;
            case TypeOut:
                BeginTransfer(slot, BlockOperation.Write, sector, chain.ReadableBytes - HeaderBytes);
                break;
            case TypeFlush:
                Submit(slot, BlockOperation.Flush, 0, 0);
                break;
            case TypeGetId:
                int length = (int)Math.Min(IdBytes, chain.WritableBytes - 1);
                End(slot, StatusOk, (uint)chain.Write(Memory, 0, _id.AsSpan(0, length)));
                break;
            case TypeDiscard when (DriverFeatures & FeatureDiscard) != 0:
                BeginRange(slot, BlockOperation.Discard);
                break;
            case TypeWriteZeroes when (DriverFeatures & FeatureWriteZeroes) != 0:
                BeginRange(slot, BlockOperation.WriteZeroes);
                break;
            default:
                End(slot, StatusUnsupported, 0);
                break;
        }
    }

    private void BeginTransfer(VirtioBlkSlot slot, BlockOperation operation, ulong sector, ulong lengthBytes)
    {
        bool isRead = operation == BlockOperation.Read;
        slot.Request.Vectors.Clear();
        if ((!isRead && _node.IsReadOnly)
            || lengthBytes > MaxTransferBytes
            || !IsOnDisk(sector, lengthBytes)
            || !slot.Chain.TryMap(Memory, isRead, isRead ? 0ul : HeaderBytes, lengthBytes, slot.Request.Vectors))
        {
            Counters.OnInvalid(operation);
            Faults.Report("a transfer that is not possible at this sector", sector);
            End(slot, StatusIoError, 0);
            return;
        }

        slot.FilledBytes = isRead ? lengthBytes : 0;
        slot.Request.IsDurable = !isRead && (DriverFeatures & FeatureFlush) == 0;
        Submit(slot, operation, sector * SectorBytes, lengthBytes);
    }

    private void BeginRange(VirtioBlkSlot slot, BlockOperation operation)
    {
        Span<byte> range = stackalloc byte[RangeBytes];
        if (slot.Chain.ReadableBytes != HeaderBytes + RangeBytes || slot.Chain.Read(Memory, HeaderBytes, range) != RangeBytes)
        {
            Counters.OnInvalid(operation);
            Faults.Report("a discard or write-zeroes that is not one range", slot.Chain.ReadableBytes);
            End(slot, StatusIoError, 0);
            return;
        }

        ulong sector = BinaryPrimitives.ReadUInt64LittleEndian(range);
        ulong lengthBytes = (ulong)BinaryPrimitives.ReadUInt32LittleEndian(range[8..]) * SectorBytes;
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(range[12..]);
        if ((flags & ~(operation == BlockOperation.WriteZeroes ? UnmapFlag : 0)) != 0)
        {
            End(slot, StatusUnsupported, 0);
            return;
        }

        bool isTooLong = lengthBytes > (ulong)MaxZeroedSectors * SectorBytes;
        if (_node.IsReadOnly || isTooLong || !IsOnDisk(sector, lengthBytes))
        {
            Counters.OnInvalid(operation);
            Faults.Report("a range that is not on the disk", sector);
            End(slot, StatusIoError, 0);
            return;
        }

        slot.Request.MayUnmap = (flags & UnmapFlag) != 0;
        slot.Request.IsDurable = (DriverFeatures & FeatureFlush) == 0;
        Submit(slot, operation, sector * SectorBytes, lengthBytes);
    }

    private bool IsOnDisk(ulong sector, ulong lengthBytes) =>
        lengthBytes % SectorBytes == 0
        && sector <= _node.CapacityBytes / SectorBytes
        && lengthBytes <= _node.CapacityBytes - sector * SectorBytes;

    private void Submit(VirtioBlkSlot slot, BlockOperation operation, ulong offsetBytes, ulong lengthBytes)
    {
        slot.Request.Operation = operation;
        slot.Request.OffsetBytes = offsetBytes;
        slot.Request.LengthBytes = lengthBytes;
        slot.BegunTimestamp = Host.Time.GetTimestamp();
        lock (_doneLock)
            _inFlight++;
        _node.Submit(slot.Request);
    }

    /// <summary>Writes the status byte, the last one of the writable buffers, and gives the chain back.</summary>
    private void End(VirtioBlkSlot slot, byte status, uint dataBytes)
    {
        slot.Chain.Write(Memory, slot.Chain.WritableBytes - 1, new ReadOnlySpan<byte>(in status));
        Queue(0).Push(slot.Chain.Head, dataBytes + 1);
        Release(slot);
    }
}
