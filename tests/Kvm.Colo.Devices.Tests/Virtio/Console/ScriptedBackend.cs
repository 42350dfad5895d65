using Kvm.Colo.Devices.Serial;

namespace Kvm.Colo.Devices.Tests.Virtio.Console;

/// <summary>A serial backend with as much room as the test gives it.</summary>
internal sealed class ScriptedBackend : ISerialBackend
{
    private ISerialInput? _input;
    private Action? _outputReady;
    private int _room = int.MaxValue;

    public MemoryStream Written { get; } = new();

    public int ResumeCalls { get; private set; }

    public long DroppedBytes => 0;

    public void Start(ISerialInput input, Action outputReady)
    {
        _input = input;
        _outputReady = outputReady;
    }

    public int TryWrite(ReadOnlySpan<byte> data)
    {
        int length = Math.Min(data.Length, _room);
        Written.Write(data[..length]);
        _room -= length;
        return length;
    }

    public void LimitRoom(int bytes) => _room = bytes;

    public void GiveRoom(int bytes)
    {
        _room = bytes;
        _outputReady!();
    }

    public int Type(string text) => _input!.Receive(System.Text.Encoding.ASCII.GetBytes(text));

    public void ResumeInput() => ResumeCalls++;

    public bool Flush(TimeSpan deadline) => true;

    public void Dispose() => Written.Dispose();
}
