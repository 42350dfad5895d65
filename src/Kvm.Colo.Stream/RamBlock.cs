using System.Text;

namespace Kvm.Colo.Stream;

/// <summary>Name and size of one RAM block as the stream knows it.</summary>
internal sealed class RamBlock
{
    private readonly byte[] _wireName;

    /// <summary>Names one block of this machine.</summary>
    /// <param name="name">Legal <see cref="WireName"/>, such as <c>pc.ram</c>.</param>
    /// <param name="sizeBytes">A whole number of pages, at least one.</param>
    public RamBlock(string name, ulong sizeBytes)
    {
        WireName.ThrowIfIllegal(name);
        if (sizeBytes == 0 || sizeBytes % RamPageWord.PageSizeBytes != 0 || sizeBytes > RamBlockTable.MaxRamBytes)
            throw new ArgumentOutOfRangeException(nameof(sizeBytes), sizeBytes, "not a whole number of pages within the limit");
        Name = name;
        SizeBytes = sizeBytes;
        _wireName = [(byte)name.Length, .. Encoding.ASCII.GetBytes(name)];
    }

    public string Name { get; }

    public ulong SizeBytes { get; }

    /// <summary>The u8 length and the name as they stand in the stream.</summary>
    public ReadOnlySpan<byte> WireForm => _wireName;
}
