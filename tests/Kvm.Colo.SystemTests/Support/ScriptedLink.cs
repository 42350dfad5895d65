using Kvm.Colo.Migration.Links;

namespace Kvm.Colo.SystemTests.Support;

/// <summary>A peer that says what it was told to say and hangs up; <paramref name="onEnd"/> runs just before.</summary>
internal sealed class ScriptedLink(ReadOnlyMemory<byte> script, Action onEnd) : ILink
{
    private readonly MemoryStream _answers = new();
    private int _position;

    public string Description => "script";

    public TimeSpan SendDeadline
    {
        set
        {
            // Nothing here waits.
        }
    }

    public long BytesSent => _answers.Length;

    public long BytesReceived => _position;

    /// <summary>What the other side sent us.</summary>
    public byte[] Answers => _answers.ToArray();

    public void Send(ReadOnlySpan<byte> data) => _answers.Write(data);

    public int Receive(Span<byte> buffer, TimeSpan deadline)
    {
        int count = Math.Min(buffer.Length, script.Length - _position);
        if (count == 0)
        {
            onEnd();
            return 0;
        }

        script.Span.Slice(_position, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    public void Shutdown()
    {
        // The script goes on or not; nobody listens.
    }

    public void Dispose() => _answers.Dispose();
}
