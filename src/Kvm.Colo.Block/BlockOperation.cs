namespace Kvm.Colo.Block;

/// <summary>What a block node can be asked to do.</summary>
internal enum BlockOperation
{
    Read,
    Write,

    /// <summary>Everything completed before is on stable storage afterwards.</summary>
    Flush,

    /// <summary>The range's content is of no interest any more.</summary>
    Discard,

    /// <summary>The range reads as zeroes afterwards.</summary>
    WriteZeroes,
}
