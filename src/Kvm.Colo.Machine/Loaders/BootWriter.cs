using System.Buffers.Binary;
using System.Text;
using Kvm.Colo.Memory;

namespace Kvm.Colo.Machine.Loaders;

/// <summary>
/// Writes a boot image into guest memory and keeps an account of who has which range, so that a hostile image cannot be laid
/// over another part of itself or over the structures it is handed.
/// </summary>
internal sealed class BootWriter(GuestMemory memory)
{
    private const ulong PageBytes = 4096;
    private readonly List<(ulong Start, ulong End, string What)> _claims = [];

    public GuestMemory Memory { get; } = memory;

    /// <summary>End of the RAM below the 32-bit hole.</summary>
    public ulong LowRamEnd => Memory.Slots[0].Start.Value + Memory.Slots[0].SizeBytes;

    /// <summary>Reserves a range of RAM for one purpose.</summary>
    /// <exception cref="BootImageException">It is no RAM, or something else is there.</exception>
    public void Claim(string what, ulong start, ulong sizeBytes)
    {
        if (sizeBytes == 0)
            return;
        if (!Memory.Contains(new GuestPhysicalAddress(start), sizeBytes))
        {
            throw new BootImageException(
                $"{what} needs {sizeBytes} bytes at 0x{start:x}, outside the guest's {Memory.SizeBytes >> 20} MiB of RAM");
        }

        ulong end = start + sizeBytes;
        foreach ((ulong Start, ulong End, string What) other in _claims)
        {
            if (start < other.End && other.Start < end)
            {
                throw new BootImageException(
                    $"{what} at 0x{start:x}-0x{end:x} overlaps {other.What} at 0x{other.Start:x}-0x{other.End:x}");
            }
        }

        _claims.Add((start, end, what));
    }

    /// <summary>Claims a range and fills it.</summary>
    public void Place(string what, ulong start, ReadOnlySpan<byte> content)
    {
        Claim(what, start, (ulong)content.Length);
        Write(start, content);
    }

    /// <summary>Writes inside a range that is claimed already.</summary>
    public void Write(ulong start, ReadOnlySpan<byte> content)
    {
        if (!Memory.TryWrite(new GuestPhysicalAddress(start), content))
            throw new BootImageException($"{content.Length} bytes at 0x{start:x} lie outside the guest's RAM");
    }

    public void Fill(ulong start, ulong sizeBytes)
    {
        if (!Memory.TryFill(new GuestPhysicalAddress(start), 0, sizeBytes))
            throw new BootImageException($"{sizeBytes} bytes at 0x{start:x} lie outside the guest's RAM");
    }

    /// <summary>Claims the highest page-aligned free room below <paramref name="limit"/> and 4 GiB, and fills it.</summary>
    public ulong PlaceHighest(string what, ReadOnlySpan<byte> content, ulong limit)
    {
        ulong size = RoundUp((ulong)content.Length);
        ulong end = Math.Min(LowRamEnd, limit) & ~(PageBytes - 1);
        while (end >= size && end - size >= BootLayout.HighRam)
        {
            ulong start = end - size;
            ulong? obstacle = LowestOverlap(start, end);
            if (obstacle is null)
            {
                Place(what, start, content);
                return start;
            }

            end = obstacle.Value & ~(PageBytes - 1);
        }

        throw new BootImageException(
            $"{what} of {content.Length} bytes does not fit into the guest's {Memory.SizeBytes >> 20} MiB of RAM");
    }

    /// <summary>Claims the first page-aligned room above everything claimed so far, and fills it.</summary>
    public ulong PlaceAfterAll(string what, ReadOnlySpan<byte> content)
    {
        ulong start = BootLayout.HighRam;
        foreach ((ulong _, ulong end, string _) in _claims)
            start = Math.Max(start, RoundUp(end));
        Place(what, start, content);
        return start;
    }

    /// <summary>Places the command line with its terminating zero; returns its length without it.</summary>
    public uint PlaceCommandLine(string commandLine, ulong maxBytes)
    {
        byte[] text = Encoding.UTF8.GetBytes(commandLine);
        ulong limit = Math.Min(maxBytes, BootLayout.CommandLineMaxBytes - 1);
        if ((ulong)text.Length > limit)
            throw new BootImageException($"the command line has {text.Length} bytes, this kernel takes {limit}");
        if (text.AsSpan().Contains((byte)0))
            throw new BootImageException("the command line contains a zero byte");
        Place("command line", BootLayout.CommandLine, [.. text, 0]);
        return (uint)text.Length;
    }

    /// <summary>Places a table of 64-bit words (descriptors, page tables).</summary>
    public void PlaceWords(string what, ulong start, ReadOnlySpan<ulong> words)
    {
        byte[] bytes = new byte[words.Length * sizeof(ulong)];
        for (int i = 0; i < words.Length; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(i * sizeof(ulong)), words[i]);
        Place(what, start, bytes);
    }

    private static ulong RoundUp(ulong value) => checked(value + PageBytes - 1) & ~(PageBytes - 1);

    private ulong? LowestOverlap(ulong start, ulong end)
    {
        ulong? lowest = null;
        foreach ((ulong Start, ulong End, string _) other in _claims)
        {
            if (start < other.End && other.Start < end && other.Start < (lowest ?? ulong.MaxValue))
                lowest = other.Start;
        }

        return lowest;
    }
}
