using Kvm.Colo.Native;
using Kvm.Colo.Native.Io;

namespace Kvm.Colo.Block;

/// <summary>
/// One operation on a block node. Made once by its owner and used again: the owner fills it and submits it, the node has it until
/// <paramref name="completed"/> is called, once, on any thread (also inside Submit); after that it is the owner's again.
/// </summary>
/// <param name="maxVectors">Ranges of memory a transfer can have.</param>
/// <param name="completed">Told the end. Must not block and must not call the node.</param>
internal sealed class BlockRequest(int maxVectors, Action<BlockRequest> completed)
{
    public BlockOperation Operation { get; set; }

    /// <summary>First byte on the node, a multiple of 512.</summary>
    public ulong OffsetBytes { get; set; }

    /// <summary>Bytes of the range, a multiple of 512; for a transfer what <see cref="Vectors"/> hold.</summary>
    public ulong LengthBytes { get; set; }

    /// <summary>A write that is on stable storage when it completes.</summary>
    public bool IsDurable { get; set; }

    /// <summary>Zeroes may be written by giving the blocks back.</summary>
    public bool MayUnmap { get; set; }

    /// <summary>Host memory of a transfer, consumed as it goes. It must stay mapped until the end.</summary>
    public IoVectors Vectors { get; } = new(maxVectors);

    /// <summary>How it ended.</summary>
    public Errno Result { get; private set; }

    /// <summary>A node that passes the request on to another sees its end first; the request is not its owner's again until this returns.</summary>
    public Action<BlockRequest>? Intercept { get; set; }

    /// <summary>For whoever has the request, to keep it in a list.</summary>
    public BlockRequest? Next { get; set; }

    /// <summary>Ends the operation; for nodes.</summary>
    public void Complete(Errno result)
    {
        Result = result;
        Action<BlockRequest>? intercept = Intercept;
        Intercept = null;
        intercept?.Invoke(this);
        completed(this);
    }
}
