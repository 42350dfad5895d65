using System.Runtime.InteropServices;

namespace Kvm.Colo.Memory;

/// <summary>
/// A number for each page of RAM, or none: native memory that costs nothing until it is touched. One owner thread at a time.
/// </summary>
internal sealed class PageIndex(ulong pageCount) : IDisposable
{
    private readonly NativeMapping _memory = NativeMapping.Anonymous(pageCount * sizeof(int));

    /// <summary>The number of a page, or -1.</summary>
    public int this[ulong page]
    {
        get => MemoryMarshal.Read<int>(_memory.Slice(page * sizeof(int), sizeof(int))) - 1;
        set => MemoryMarshal.Write(_memory.Slice(page * sizeof(int), sizeof(int)), value + 1);
    }

    /// <summary>Takes a page's number away.</summary>
    public void Remove(ulong page) => this[page] = -1;

    public void Dispose() => _memory.Dispose();
}
