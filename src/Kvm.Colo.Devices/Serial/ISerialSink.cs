namespace Kvm.Colo.Devices.Serial;

/// <summary>The blocking end of a write queue, called on the queue's own thread only.</summary>
internal interface ISerialSink
{
    /// <summary>Writes everything, as long as it takes; false when there was nobody to write to and the bytes are gone.</summary>
    bool Write(ReadOnlySpan<byte> data);
}
