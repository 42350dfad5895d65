namespace Kvm.Colo.Native.Io;

/// <summary>A one-shot timer of a loop; safe from any thread.</summary>
internal interface IIoTimer : IDisposable
{
    /// <summary>Fires once after <paramref name="delay"/>, replacing what was set before.</summary>
    void Start(TimeSpan delay);

    void Stop();
}
