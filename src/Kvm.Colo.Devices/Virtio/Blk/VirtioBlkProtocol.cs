namespace Kvm.Colo.Devices.Virtio.Blk;

/// <summary>Numbers of the block device (virtio 1.2, section 5.2).</summary>
internal static class VirtioBlkProtocol
{
    public const ulong FeatureSegMax = 1ul << 2;
    public const ulong FeatureReadOnly = 1ul << 5;
    public const ulong FeatureBlockSize = 1ul << 6;
    public const ulong FeatureFlush = 1ul << 9;
    public const ulong FeatureDiscard = 1ul << 13;
    public const ulong FeatureWriteZeroes = 1ul << 14;

    public const uint TypeIn = 0;
    public const uint TypeOut = 1;
    public const uint TypeFlush = 4;
    public const uint TypeGetId = 8;
    public const uint TypeDiscard = 11;
    public const uint TypeWriteZeroes = 13;

    public const byte StatusOk = 0;
    public const byte StatusIoError = 1;
    public const byte StatusUnsupported = 2;

    public const int HeaderBytes = 16;
    public const int IdBytes = 20;
    public const int SectorBytes = 512;

    /// <summary>Bytes of one range of a discard or write-zeroes request; <see cref="UnmapFlag"/> is a bit of its flags.</summary>
    public const int RangeBytes = 16;
    public const uint UnmapFlag = 1;

    /// <summary>Offsets in the configuration space, and its length.</summary>
    public const int ConfigCapacity = 0;
    public const int ConfigSegMax = 12;
    public const int ConfigBlockSize = 20;
    public const int ConfigMaxDiscardSectors = 36;
    public const int ConfigMaxDiscardSegments = 40;
    public const int ConfigDiscardAlignment = 44;
    public const int ConfigMaxWriteZeroesSectors = 48;
    public const int ConfigMaxWriteZeroesSegments = 52;
    public const int ConfigWriteZeroesMayUnmap = 56;
    public const int ConfigBytes = 60;
}
