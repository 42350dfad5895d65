using System.Text;
using Kvm.Colo.Devices.Serial;

namespace Kvm.Colo.SystemTests.Support;

/// <summary>The far end of a guest's serial line: keeps what it says, lets a test wait for it and type back.</summary>
internal sealed class ConsoleCapture : ISerialBackend
{
    private readonly ConsoleText _text = new();
    private readonly AutoResetEvent _inputWanted = new(false);
    private ISerialInput? _input;

    public ConsoleText Said => _text;

    /// <summary>Sees every piece as it arrives, on the thread that wrote it.</summary>
    public Action<string>? OnWrite { get; set; }

    public long DroppedBytes => 0;

    public string Text => _text.Text;

    public string[] Lines => _text.Lines;

    public void Start(ISerialInput input, Action outputReady) => _input = input;

    public int TryWrite(ReadOnlySpan<byte> data)
    {
        string text = Encoding.Latin1.GetString(data);
        _text.Append(text);
        OnWrite?.Invoke(text);
        return data.Length;
    }

    public void ResumeInput() => _inputWanted.Set();

    public bool Flush(TimeSpan deadline) => true;

    public void Dispose()
    {
        // Left for the collector: a test may still look at the text.
    }

    /// <summary>Types the text, however small the pieces are that the guest takes.</summary>
    public void Type(string text, int seconds = 30)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(text);
        for (int done = 0; done < bytes.Length;)
        {
            done += _input!.Receive(bytes.AsSpan(done));
            if (done < bytes.Length && !_inputWanted.WaitOne(TimeSpan.FromSeconds(seconds)))
                throw new TimeoutException($"the guest took {done} of {bytes.Length} bytes of input");
        }
    }

    public string WaitFor(Func<string, bool> condition, string what, int seconds = 30) => _text.WaitFor(condition, what, seconds);

    public string WaitFor(string text, int seconds = 30) => _text.WaitFor(text, seconds);
}
