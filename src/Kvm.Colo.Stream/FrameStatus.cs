namespace Kvm.Colo.Stream;

/// <summary>The three outcomes of reading one frame from a span of bytes.</summary>
internal enum FrameStatus
{
    /// <summary>The frame is complete and legal.</summary>
    Ok,

    /// <summary>Everything so far is legal; the frame ends beyond the bytes at hand. Nothing was consumed.</summary>
    NeedMoreData,

    /// <summary>The peer broke the format: drop the link, there is no resync.</summary>
    Malformed,
}
