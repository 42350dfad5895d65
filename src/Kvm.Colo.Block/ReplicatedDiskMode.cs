namespace Kvm.Colo.Block;

/// <summary>What a replicated disk does with its guest's writes.</summary>
internal enum ReplicatedDiskMode
{
    /// <summary>They go to the image.</summary>
    Ordinary,

    /// <summary>A primary's: to the image, and which sectors they touched is recorded.</summary>
    Recording,

    /// <summary>A secondary's: to an overlay that the next epoch drops.</summary>
    Speculative,

    /// <summary>After a takeover: to the image, into which the overlay is being merged.</summary>
    Merging,
}
