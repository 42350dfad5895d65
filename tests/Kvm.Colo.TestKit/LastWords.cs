using System.Text;
using Kvm.Colo.Devices.Serial;

namespace Kvm.Colo.TestKit;

/// <summary>The far end of a console that may be sent anything: it takes all and keeps the last of it.</summary>
internal sealed class LastWords(int keptBytes = 256) : ISerialBackend
{
    private readonly Lock _lock = new();
    private byte[] _kept = [];

    public long DroppedBytes => 0;

    public string Text
    {
        get
        {
            lock (_lock)
                return Encoding.Latin1.GetString(_kept);
        }
    }

    public void Start(ISerialInput input, Action outputReady)
    {
        // Nothing is typed here.
    }

    public int TryWrite(ReadOnlySpan<byte> data)
    {
        lock (_lock)
            _kept = [.. _kept.AsSpan(Math.Min(_kept.Length, Math.Max(0, _kept.Length + data.Length - keptBytes))), .. data[^Math.Min(data.Length, keptBytes)..]];
        return data.Length;
    }

    public void ResumeInput()
    {
        // As above.
    }

    public bool Flush(TimeSpan deadline) => true;

    public void Dispose()
    {
        // Left for the collector: a test may still look at the text.
    }
}
