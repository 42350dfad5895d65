using Kvm.Colo.Qmp.Schema;

namespace Kvm.Colo.Qmp.Protocol;

/// <summary>
/// Holds back events of the limited kinds: the first of a kind and key goes out at once, of those that follow within the
/// interval the last goes out when it ends. Any thread; timers run on the pool and only queue lines.
/// </summary>
internal sealed class QmpEventLimiter(TimeSpan interval, TimeProvider time, Action<byte[]> send) : IDisposable
{
    /// <summary>More keys than this share one, so that memory stays bounded.</summary>
    private const int MaxKeys = 256;

    private readonly Lock _lock = new();
    private readonly Dictionary<(QmpEvent, string), Slot> _slots = [];
    private bool _isDisposed;

    public void Add(QmpEvent item, string key, byte[] line)
    {
        lock (_lock)
        {
            if (_isDisposed)
                return;
            if (_slots.Count >= MaxKeys && !_slots.ContainsKey((item, key)))
                key = "";
            if (_slots.TryGetValue((item, key), out Slot? open))
            {
                open.Pending = line;
                return;
            }
            var slot = new Slot(this, (item, key));
            _slots.Add(slot.Key, slot);
            slot.Timer = time.CreateTimer(
                static state => ((Slot)state!).Owner.IntervalEnds((Slot)state), slot, interval, Timeout.InfiniteTimeSpan);
            send(line);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            foreach (Slot slot in _slots.Values)
                slot.Timer?.Dispose();
            _slots.Clear();
        }
    }

    private void IntervalEnds(Slot slot)
    {
        lock (_lock)
        {
            if (_isDisposed)
                return;
            if (slot.Pending is { } line)
            {
                slot.Pending = null;
                slot.Timer?.Change(interval, Timeout.InfiniteTimeSpan);
                send(line);
                return;
            }
            slot.Timer?.Dispose();
            _slots.Remove(slot.Key);
        }
    }

    private sealed class Slot(QmpEventLimiter owner, (QmpEvent, string) key)
    {
        public QmpEventLimiter Owner { get; } = owner;

        public (QmpEvent, string) Key { get; } = key;

        public ITimer? Timer { get; set; }

        public byte[]? Pending { get; set; }
    }
}
