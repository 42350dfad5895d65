using System.Text;
using Kvm.Colo.Devices.Serial;

namespace Kvm.Colo.Benchmarks.Pair;

/// <summary>Keeps the last few thousand characters a guest said.</summary>
internal sealed class LastLines : ISerialBackend
{
    private const int Keep = 1500;
    private readonly Lock _lock = new();
    private readonly StringBuilder _text = new();

    public long DroppedBytes => 0;

    public string Text
    {
        get
        {
            lock (_lock)
                return _text.ToString();
        }
    }

    public void Start(ISerialInput input, Action outputReady)
    {
    }

    public int TryWrite(ReadOnlySpan<byte> data)
    {
        lock (_lock)
        {
            foreach (byte b in data)
                _text.Append((char)b);
            if (_text.Length > 2 * Keep)
                _text.Remove(0, _text.Length - Keep);
        }

        return data.Length;
    }

    public void ResumeInput()
    {
    }

    public bool Flush(TimeSpan deadline) => true;

    public void Dispose()
    {
    }
}
