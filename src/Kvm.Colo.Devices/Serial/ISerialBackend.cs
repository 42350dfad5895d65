namespace Kvm.Colo.Devices.Serial;

/// <summary>The host's end of a serial line. Output and input are bounded; no call blocks except Flush and Dispose.</summary>
internal interface ISerialBackend : IDisposable
{
    /// <summary>Bytes that had nobody to go to (no client connected, or the host refused the write).</summary>
    long DroppedBytes { get; }

    /// <summary>Whether anybody is at the other end.</summary>
    bool IsConnected => true;

    /// <summary>
    /// Begins to deliver input, and from now on calls <paramref name="outputReady"/> (on a backend thread, no lock held) when
    /// there is room again after a write was not taken whole. Called once.
    /// </summary>
    void Start(ISerialInput input, Action outputReady);

    /// <summary>Queues what fits and returns how many bytes that was; never blocks.</summary>
    int TryWrite(ReadOnlySpan<byte> data);

    /// <summary>The receiver has room again. Cheap, callable under the receiver's lock.</summary>
    void ResumeInput();

    /// <summary>Waits until everything queued has reached the host, at most for <paramref name="deadline"/>.</summary>
    bool Flush(TimeSpan deadline);
}
