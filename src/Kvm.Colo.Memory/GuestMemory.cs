using System.Runtime.CompilerServices;
using Kvm.Colo.Native;

namespace Kvm.Colo.Memory;

/// <summary>
/// All RAM of one guest and the only door to it. RAM is one memfd; low RAM lies at 0 up to <see cref="LowRamLimit"/>, the rest from
/// 4 GiB. Every write through this class marks its pages in <see cref="DeviceDirty"/>, because KVM's dirty log holds the guest's
/// writes only. Thread-safe: the guest and device threads race on the bytes as they do on a real machine.
/// </summary>
internal sealed unsafe class GuestMemory : IDisposable
{
    /// <summary>End of low RAM; the hole up to 4 GiB holds device registers and the APICs.</summary>
    public const ulong LowRamLimit = 0xC000_0000;

    public const ulong HighRamStart = 0x1_0000_0000;

    /// <summary>Smallest and largest RAM that is accepted, in bytes.</summary>
    public const ulong MinSizeBytes = 1ul << 20;
    public const ulong MaxSizeBytes = 1ul << 42;

    private readonly SafeDescriptor _file;
    private readonly NativeMapping _mapping;
    private readonly NativeMapping? _committed;
    private readonly MemorySlot[] _slots;
    private readonly byte* _base;

    private GuestMemory(ulong sizeBytes, bool isReplica)
    {
        if (sizeBytes is < MinSizeBytes or > MaxSizeBytes || sizeBytes % GuestPage.SizeBytes != 0)
            throw new ArgumentOutOfRangeException(nameof(sizeBytes), $"{sizeBytes} is not a multiple of 4096 between 1 MiB and 4 TiB");
        SizeBytes = sizeBytes;
        IsReplica = isReplica;
        _file = SafeDescriptor.From("memfd_create", Shim.MemfdCreate("colo-vm-ram", sizeBytes));
        _mapping = NativeMapping.Map(_file, sizeBytes, isPrivate: isReplica);
        _committed = isReplica ? NativeMapping.Map(_file, sizeBytes, isPrivate: false) : null;
        _base = _mapping.Address;
        DeviceDirty = new PageBitmap(PageCount);
        ulong low = Math.Min(sizeBytes, LowRamLimit);
        MemorySlot first = new(0, new GuestPhysicalAddress(0), low, 0, (nuint)_base);
        _slots = low == sizeBytes
            ? [first]
            : [first, new MemorySlot(1, new GuestPhysicalAddress(HighRamStart), sizeBytes - low, low, (nuint)(_base + low))];
    }

    public ulong SizeBytes { get; }

    public ulong PageCount => SizeBytes >> GuestPage.Shift;

    /// <summary>Whether the guest runs on a private view over the committed image (a secondary's memory).</summary>
    public bool IsReplica { get; private set; }

    public IReadOnlyList<MemorySlot> Slots => _slots;

    /// <summary>
    /// Whether a replica's committed image is still somebody's: false from a failover on, when the guest's own view is all that counts.
    /// </summary>
    public bool KeepsCommittedImage { get; set; } = true;

    /// <summary>Pages written through this door since they were last harvested.</summary>
    public PageBitmap DeviceDirty { get; }

    /// <summary>RAM of an ordinary guest: one shared mapping. Untouched pages cost nothing.</summary>
    /// <exception cref="NativeException">The kernel refused the memory.</exception>
    public static GuestMemory Create(ulong sizeBytes) => new(sizeBytes, isReplica: false);

    /// <summary>
    /// RAM of a secondary: the memfd is the committed image, the guest runs on a private (copy-on-write) mapping of it, so only the
    /// pages it writes exist twice. Until something is written privately both views are the same bytes.
    /// </summary>
    /// <exception cref="NativeException">The kernel refused the memory.</exception>
    public static GuestMemory CreateReplica(ulong sizeBytes) => new(sizeBytes, isReplica: true);

    public bool Contains(GuestPhysicalAddress at, ulong lengthBytes) => TryLocate(at, lengthBytes, out _);

    /// <summary>Copies guest memory out; false when the range is not RAM.</summary>
    public bool TryRead(GuestPhysicalAddress at, Span<byte> destination)
    {
        if (!TryLocate(at, (ulong)destination.Length, out ulong offset))
            return false;
        // SAFETY: in range by TryLocate; the mapping is released only after every vCPU and device thread has joined.
        new ReadOnlySpan<byte>(_base + offset, destination.Length).CopyTo(destination);
        return true;
    }

    /// <summary>Copies into guest memory and marks the pages; false when the range is not RAM (nothing is written then).</summary>
    public bool TryWrite(GuestPhysicalAddress at, ReadOnlySpan<byte> source)
    {
        if (!TryLocate(at, (ulong)source.Length, out ulong offset))
            return false;
        // SAFETY: as in TryRead.
        source.CopyTo(new Span<byte>(_base + offset, source.Length));
        MarkDirty(offset, (ulong)source.Length);
        return true;
    }

    /// <summary>Sets a range to one value and marks it; false when the range is not RAM.</summary>
    public bool TryFill(GuestPhysicalAddress at, byte value, ulong lengthBytes)
    {
        if (!TryLocate(at, lengthBytes, out ulong offset))
            return false;
        for (ulong done = 0; done < lengthBytes;)
        {
            int part = (int)Math.Min(lengthBytes - done, 1u << 30);
            // SAFETY: as in TryRead.
            new Span<byte>(_base + offset + done, part).Fill(value);
            done += (ulong)part;
        }

        MarkDirty(offset, lengthBytes);
        return true;
    }

    /// <summary>
    /// Gives whole pages back to the host: they read as zeros from now on, and are marked. While the committed image of a replica must
    /// stay as it is, they are zeroed in the guest's own view instead. False when the range is not whole pages of RAM.
    /// </summary>
    /// <exception cref="NativeException">The kernel refused.</exception>
    public bool TryDiscard(GuestPhysicalAddress at, ulong lengthBytes)
    {
        if (((at.Value | lengthBytes) & (GuestPage.SizeBytes - 1)) != 0 || !TryLocate(at, lengthBytes, out ulong offset))
            return false;
        if (IsReplica && KeepsCommittedImage)
        {
            ZeroPrivately(offset >> GuestPage.Shift, lengthBytes >> GuestPage.Shift);
        }
        else if (lengthBytes > 0)
        {
            NativeException.Check("fallocate", Shim.PunchHole(_file, offset, lengthBytes));
            if (IsReplica)
                DropPrivatePages(offset >> GuestPage.Shift, lengthBytes >> GuestPage.Shift);
        }

        MarkDirty(offset, lengthBytes);
        return true;
    }

    /// <summary>Reads one value, a single access when it is naturally aligned; false when it is not RAM.</summary>
    public bool TryRead<T>(GuestPhysicalAddress at, out T value)
        where T : unmanaged
    {
        if (!TryLocate(at, (ulong)sizeof(T), out ulong offset))
        {
            value = default;
            return false;
        }

        // SAFETY: as in TryRead.
        value = Unsafe.ReadUnaligned<T>(_base + offset);
        return true;
    }

    /// <summary>Writes one value and marks its page; false when it is not RAM.</summary>
    public bool TryWrite<T>(GuestPhysicalAddress at, in T value)
        where T : unmanaged
    {
        if (!TryLocate(at, (ulong)sizeof(T), out ulong offset))
            return false;
        // SAFETY: as in TryRead.
        Unsafe.WriteUnaligned(_base + offset, value);
        MarkDirty(offset, (ulong)sizeof(T));
        return true;
    }

    /// <summary>Reads a ring index: one aligned 16-bit load with acquire order; false when it is not aligned RAM.</summary>
    public bool TryReadAcquire(GuestPhysicalAddress at, out ushort value)
    {
        value = 0;
        if ((at.Value & 1) != 0 || !TryLocate(at, sizeof(ushort), out ulong offset))
            return false;
        // SAFETY: as in TryRead; aligned by the check.
        value = Volatile.Read(ref *(ushort*)(_base + offset));
        return true;
    }

    /// <summary>Publishes a ring index: one aligned 16-bit store with release order, then the mark.</summary>
    public bool TryWriteRelease(GuestPhysicalAddress at, ushort value)
    {
        if ((at.Value & 1) != 0 || !TryLocate(at, sizeof(ushort), out ulong offset))
            return false;
        // SAFETY: as in TryRead; aligned by the check.
        Volatile.Write(ref *(ushort*)(_base + offset), value);
        MarkDirty(offset, sizeof(ushort));
        return true;
    }

    /// <summary>
    /// The host address of a range, for a vectored read or write by the kernel. The range is valid until Dispose; a kernel write into
    /// it must be followed by <see cref="MarkWritten"/>.
    /// </summary>
    public bool TryGetHostRange(GuestPhysicalAddress at, ulong lengthBytes, out nuint hostAddress)
    {
        bool found = TryLocate(at, lengthBytes, out ulong offset);
        hostAddress = found ? (nuint)(_base + offset) : 0;
        return found;
    }

    /// <summary>Marks a range that the kernel wrote on a device's behalf; false when it is not RAM.</summary>
    public bool MarkWritten(GuestPhysicalAddress at, ulong lengthBytes)
    {
        if (!TryLocate(at, lengthBytes, out ulong offset))
            return false;
        MarkDirty(offset, lengthBytes);
        return true;
    }

    /// <summary>The bytes of one page as the guest sees them. They change while the guest runs: read them once, keep nothing.</summary>
    public ReadOnlySpan<byte> Page(ulong page) => new(Locate(_mapping, page), GuestPage.SizeBytes);

    /// <summary>The bytes of one page of the committed image (the guest's own when this is no replica).</summary>
    public ReadOnlySpan<byte> CommittedPage(ulong page) => new(Locate(_committed ?? _mapping, page), GuestPage.SizeBytes);

    /// <summary>
    /// Writes one page of the committed image. A page the guest has not written privately shows it at once, so a replica's guest must
    /// be stopped, or not yet have run.
    /// </summary>
    public void WriteCommittedPage(ulong page, ReadOnlySpan<byte> content)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(content.Length, GuestPage.SizeBytes);
        content.CopyTo(new Span<byte>(Locate(_committed ?? _mapping, page), GuestPage.SizeBytes));
    }

    /// <summary>
    /// One page of the committed image, to be received into. The rule of <see cref="WriteCommittedPage"/> holds.
    /// </summary>
    public Span<byte> CommittedPageForWrite(ulong page) => new(Locate(_committed ?? _mapping, page), GuestPage.SizeBytes);

    /// <summary>Forgets all content, private and committed, and gives its memory back; no vCPU runs.</summary>
    public void DiscardAll()
    {
        if (IsReplica)
            DropPrivatePages(0, PageCount);
        NativeException.Check("fallocate", Shim.PunchHole(_file, 0, SizeBytes));
        DeviceDirty.ClearAll();
    }

    /// <summary>
    /// Turns a replica into ordinary RAM: the guest's view becomes the committed image itself. No vCPU runs and nothing was written
    /// privately.
    /// </summary>
    public void MakeShared()
    {
        if (!IsReplica)
            return;
        NativeException.Check("mmap", Shim.MmapFixedShared(_file, _base, SizeBytes));
        IsReplica = false;
    }

    /// <summary>Zeroes one page of the committed image; a page that was never touched stays untouched.</summary>
    public void ZeroCommittedPage(ulong page)
    {
        Span<byte> content = new(Locate(_committed ?? _mapping, page), GuestPage.SizeBytes);
        if (IsPopulated(page) && content.ContainsAnyExcept((byte)0))
            content.Clear();
    }

    /// <summary>Makes a page equal to the committed one without dropping a private copy of it; what is equal is not written.</summary>
    /// <param name="page">The page.</param>
    /// <param name="next">The page this will be called for next, to be fetched meanwhile.</param>
    public void RestorePrivatePage(ulong page, ulong? next = null) => CacheLines.CopyDifferences(
        CommittedPage(page),
        new Span<byte>(Locate(_mapping, page), GuestPage.SizeBytes),
        next is { } following ? new NextPages(CommittedPage(following), Page(following)) : default);

    /// <summary>Drops the private copies of a run of pages: the guest sees the committed image there again.</summary>
    /// <exception cref="NativeException">The kernel refused, which leaves the pages as they were.</exception>
    public void DropPrivatePages(ulong firstPage, ulong count)
    {
        if (!IsReplica || firstPage > PageCount || count > PageCount - firstPage)
            throw new ArgumentOutOfRangeException(nameof(firstPage), $"{count} pages at {firstPage} of {PageCount}");
        const int MADV_DONTNEED = 4;
        NativeException.Check("madvise", Shim.Madvise(_base + (firstPage << GuestPage.Shift), count << GuestPage.Shift, MADV_DONTNEED));
    }

    /// <summary>The first page at or after <paramref name="page"/> that the memfd holds, or <see cref="PageCount"/>; unheld pages are zero.</summary>
    public ulong NextPopulated(ulong page) => Seek(page, Shim.SeekData(_file, page << GuestPage.Shift));

    /// <summary>The first page at or after <paramref name="page"/> that the memfd does not hold, or <see cref="PageCount"/>.</summary>
    public ulong NextUnpopulated(ulong page) => Seek(page, Shim.SeekHole(_file, page << GuestPage.Shift));

    /// <summary>Adds every page that may be other than zero: those the memfd holds and those the guest's private view holds.</summary>
    public void AddUsedPages(PageBitmap into)
    {
        if (IsReplica)
            AddMappedPages(into);
        for (ulong page = NextPopulated(0); page < PageCount;)
        {
            ulong end = NextUnpopulated(page);
            for (; page < end; page++)
                into.Set(page);
            page = NextPopulated(end);
        }
    }

    /// <summary>
    /// Adds the pages the guest's private view holds itself to <paramref name="into"/>; what it does not hold it shows from the committed
    /// image. Source: Documentation/admin-guide/mm/pagemap.rst.
    /// </summary>
    private void AddMappedPages(PageBitmap into)
    {
        const int EntryBytes = sizeof(ulong);
        const ulong PresentOrSwapped = 3ul << 62;
        using FileStream map = new("/proc/self/pagemap", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        byte[] entries = new byte[4096 * EntryBytes];
        for (ulong page = 0; page < PageCount;)
        {
            int count = (int)Math.Min(4096, PageCount - page);
            map.Position = (long)((((ulong)_base >> GuestPage.Shift) + page) * EntryBytes);
            map.ReadExactly(entries, 0, count * EntryBytes);
            for (int i = 0; i < count; i++)
            {
                if ((BitConverter.ToUInt64(entries, i * EntryBytes) & PresentOrSwapped) != 0)
                    into.Set(page + (ulong)i);
            }

            page += (ulong)count;
        }
    }

    /// <summary>Where a page of RAM lies for the guest.</summary>
    public GuestPhysicalAddress AddressOfPage(ulong page)
    {
        ulong offset = page << GuestPage.Shift;
        return new GuestPhysicalAddress(offset < LowRamLimit ? offset : HighRamStart + (offset - LowRamLimit));
    }

    public void Dispose()
    {
        _mapping.Dispose();
        _committed?.Dispose();
        _file.Dispose();
        DeviceDirty.Dispose();
    }

    // A page that the memfd does not hold was never written, and reading it would make one.
    private void ZeroPrivately(ulong firstPage, ulong count)
    {
        ulong end = firstPage + count;
        for (ulong page = NextPopulated(firstPage); page < end; page = NextPopulated(page + 1))
        {
            Span<byte> content = new(Locate(_mapping, page), GuestPage.SizeBytes);
            if (content.ContainsAnyExcept((byte)0))
                content.Clear();
        }
    }

    private bool IsPopulated(ulong page) => NextPopulated(page) == page;

    private ulong Seek(ulong page, long result)
    {
        if (page >= PageCount)
            return PageCount;
        const long ENXIO = 6;
        return result == -ENXIO ? PageCount : Math.Min(PageCount, (ulong)NativeException.Check("lseek", result) >> GuestPage.Shift);
    }

    private byte* Locate(NativeMapping mapping, ulong page)
    {
        if (page >= PageCount)
            throw new ArgumentOutOfRangeException(nameof(page), $"page {page} of {PageCount}");
        return mapping.Address + (page << GuestPage.Shift);
    }

    private bool TryLocate(GuestPhysicalAddress at, ulong lengthBytes, out ulong offset)
    {
        foreach (MemorySlot slot in _slots)
        {
            if (slot.Contains(at, lengthBytes))
            {
                offset = slot.RamOffset + (at.Value - slot.Start.Value);
                return true;
            }
        }

        offset = 0;
        return false;
    }

    private void MarkDirty(ulong offset, ulong lengthBytes)
    {
        if (lengthBytes == 0)
            return;
        ulong last = (offset + lengthBytes - 1) >> GuestPage.Shift;
        for (ulong page = offset >> GuestPage.Shift; page <= last; page++)
            DeviceDirty.Mark(page);
    }
}
