namespace Kvm.Colo.Devices.Serial;

/// <summary>Where a backend delivers what its user typed.</summary>
internal interface ISerialInput
{
    /// <summary>
    /// Takes as many bytes as the receiver has room for and returns how many. After a short answer the backend keeps the rest
    /// and tries again once <see cref="ISerialBackend.ResumeInput"/> was called.
    /// </summary>
    int Receive(ReadOnlySpan<byte> data);
}
