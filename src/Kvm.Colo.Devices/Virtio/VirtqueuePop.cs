namespace Kvm.Colo.Devices.Virtio;

/// <summary>What taking a chain from a queue came to.</summary>
internal enum VirtqueuePop
{
    /// <summary>Nothing is available.</summary>
    Empty,

    /// <summary>A chain was taken.</summary>
    Chain,

    /// <summary>A chain was no chain. It is taken, without its buffers; its head goes back to the driver with length 0.</summary>
    Malformed,

    /// <summary>The ring itself is wrong; the queue cannot be used before a reset.</summary>
    Broken,
}
