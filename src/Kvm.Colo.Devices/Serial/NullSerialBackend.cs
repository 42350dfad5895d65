namespace Kvm.Colo.Devices.Serial;

/// <summary>Output goes nowhere, input never comes.</summary>
internal sealed class NullSerialBackend : ISerialBackend
{
    public long DroppedBytes => 0;

    public void Start(ISerialInput input, Action outputReady)
    {
    }

    public int TryWrite(ReadOnlySpan<byte> data) => data.Length;

    public void ResumeInput()
    {
    }

    public bool Flush(TimeSpan deadline) => true;

    public void Dispose()
    {
    }
}
