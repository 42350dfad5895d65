using System.Text;
using Kvm.Colo.Devices.Serial;

namespace Kvm.Colo.Devices.Tests.Support;

/// <summary>A backend with as much room as the test gives it, driven on the test's thread.</summary>
internal sealed class FakeSerialBackend : ISerialBackend
{
    private readonly List<byte> _written = [];
    private Action? _outputReady;

    public int Room { get; set; } = int.MaxValue;

    public ISerialInput? Input { get; private set; }

    public int Resumes { get; private set; }

    public long DroppedBytes => 0;

    public string Text => Encoding.Latin1.GetString(Bytes);

    public byte[] Bytes => [.. _written];

    public void Start(ISerialInput input, Action outputReady)
    {
        Input = input;
        _outputReady = outputReady;
    }

    public int TryWrite(ReadOnlySpan<byte> data)
    {
        int accepted = Math.Min(Room, data.Length);
        Room -= accepted;
        _written.AddRange(data[..accepted]);
        return accepted;
    }

    public void GiveRoom(int bytes)
    {
        Room = bytes;
        _outputReady?.Invoke();
    }

    public void ResumeInput() => Resumes++;

    public bool Flush(TimeSpan deadline) => true;

    public void Dispose()
    {
    }
}
