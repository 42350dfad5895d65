namespace Kvm.Colo.Stream;

/// <summary>The RAM blocks of this machine in stream order; both ends build it from the machine, never from the peer.</summary>
internal sealed class RamBlockTable
{
    public const int MaxBlocks = 64;

    /// <summary>64 TiB, what a guest-physical address of 46 bits reaches; keeps every sum of sizes far from wrapping.</summary>
    public const ulong MaxRamBytes = 1UL << 46;

    private readonly RamBlock[] _blocks;

    public RamBlockTable(params ReadOnlySpan<RamBlock> blocks)
    {
        if (blocks.Length is 0 or > MaxBlocks)
            throw new ArgumentException($"{blocks.Length} RAM blocks, 1 to {MaxBlocks} are possible", nameof(blocks));
        _blocks = blocks.ToArray();
        for (int index = 0; index < _blocks.Length; index++)
        {
            if (IndexOf(_blocks[index].WireForm[1..]) != index)
                throw new ArgumentException($"RAM block '{_blocks[index].Name}' appears twice", nameof(blocks));
            TotalBytes += _blocks[index].SizeBytes;
        }

        if (TotalBytes > MaxRamBytes)
            throw new ArgumentException($"{TotalBytes} bytes of RAM pass the limit of {MaxRamBytes}", nameof(blocks));
    }

    public int Count => _blocks.Length;

    public ulong TotalBytes { get; }

    public RamBlock this[int index] => _blocks[index];

    /// <summary>Index of the block of that name, or -1.</summary>
    public int IndexOf(ReadOnlySpan<byte> name)
    {
        for (int index = 0; index < _blocks.Length; index++)
        {
            if (_blocks[index].WireForm[1..].SequenceEqual(name))
                return index;
        }

        return -1;
    }
}
