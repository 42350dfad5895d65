namespace Kvm.Colo.Native.Io;

/// <summary>
/// One descriptor watched by a loop. Both members may be called from any thread; a callback that has already begun on the loop's
/// thread may still be running when Dispose returns, so its owner checks its own state under its own lock.
/// </summary>
internal interface IIoRegistration : IDisposable
{
    /// <summary>
    /// Watches for <paramref name="events"/> from now on; <see cref="IoEvents.None"/> stops watching without giving up the place.
    /// </summary>
    void Update(IoEvents events);
}
