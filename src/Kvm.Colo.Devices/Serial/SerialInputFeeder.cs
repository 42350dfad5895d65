namespace Kvm.Colo.Devices.Serial;

/// <summary>
/// Hands input to a receiver that takes only what it has room for; used by one reading thread, which therefore reads no further
/// than one buffer ahead of the guest.
/// </summary>
internal sealed class SerialInputFeeder : IDisposable
{
    public const int BufferBytes = 256;
    private static readonly TimeSpan s_roomWait = TimeSpan.FromMilliseconds(250);

    private readonly AutoResetEvent _room = new(initialState: false);
    private volatile bool _stopping;

    public bool IsStopping => _stopping;

    /// <summary>
    /// Delivers everything, waiting for room as needed. False when stopped, or when <paramref name="isSourceAlive"/>, asked
    /// while waiting, says that the sender has gone: the rest is then dropped.
    /// </summary>
    public bool Deliver(ISerialInput input, ReadOnlySpan<byte> data, Func<bool> isSourceAlive)
    {
        while (!_stopping)
        {
            data = data[input.Receive(data)..];
            if (data.IsEmpty)
                return true;
            if (!_room.WaitOne(s_roomWait) && !isSourceAlive())
                return false;
        }

        return false;
    }

    public void Resume()
    {
        if (!_stopping)
            _room.Set();
    }

    public void Stop()
    {
        _stopping = true;
        _room.Set();
    }

    public void Dispose()
    {
        Stop();
        _room.Dispose();
    }
}
