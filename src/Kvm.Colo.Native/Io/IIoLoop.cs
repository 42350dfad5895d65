namespace Kvm.Colo.Native.Io;

/// <summary>
/// A thread that waits for descriptors, timers and posted work. Every member is safe from any thread; every callback runs on the
/// loop's thread with no lock of the loop held.
/// </summary>
internal interface IIoLoop
{
    /// <summary>Whether the caller is the loop's thread.</summary>
    bool IsCurrent { get; }

    /// <summary>Watches a descriptor, level-triggered. The caller keeps it open until the registration is disposed.</summary>
    /// <exception cref="NativeException">The kernel does not watch this kind of descriptor.</exception>
    IIoRegistration Register(SafeDescriptor descriptor, IoEvents events, Action<IoEvents> callback);

    /// <summary>
    /// Runs <paramref name="callback"/> soon, in the order of posting. Does not allocate for a delegate that is kept.
    /// </summary>
    void Post(Action callback);

    IIoTimer CreateTimer(Action callback);
}
