using Kvm.Colo.Qmp.Schema;

namespace Kvm.Colo.Qmp.Protocol;

/// <summary>
/// Holds back events of the limited kinds: the first of a kind and key goes out at once, of those that follow within the
/// interval the last goes out when it ends, stamped with its own time. What is held back is written down only when it is sent, so a
/// thousand checkpoints a second cost no garbage. Any thread; timers run on the pool and only queue lines.
/// </summary>
internal sealed class QmpEventLimiter(TimeSpan interval, TimeProvider time, Action<byte[]> send) : IDisposable
{
    /// <summary>More keys than this share one, so that memory stays bounded.</summary>
    private const int MaxKeys = 256;

    private readonly Lock _lock = new();
    private readonly Dictionary<(QmpEvent, string), Slot> _slots = [];
    private bool _isDisposed;

    public void Add<T>(QmpEvent<T> item, string key, T data)
    {
        lock (_lock)
        {
            if (_isDisposed)
                return;
            if (_slots.Count >= MaxKeys && !_slots.ContainsKey((item, key)))
                key = "";
            if (_slots.TryGetValue((item, key), out Slot? open))
            {
                ((Slot<T>)open).Hold(data, time.GetUtcNow());
                return;
            }
            var slot = new Slot<T>(this, item, key);
            _slots.Add(slot.Key, slot);
            slot.Timer = time.CreateTimer(
                static state => ((Slot)state!).Owner.IntervalEnds((Slot)state), slot, interval, Timeout.InfiniteTimeSpan);
            send(QmpEventLine.Write(item, data, time.GetUtcNow()));
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
            if (slot.TakeLine() is { } line)
            {
                slot.Timer?.Change(interval, Timeout.InfiniteTimeSpan);
                send(line);
                return;
            }
            slot.Timer?.Dispose();
            _slots.Remove(slot.Key);
        }
    }

    private abstract class Slot(QmpEventLimiter owner, (QmpEvent, string) key)
    {
        public QmpEventLimiter Owner { get; } = owner;

        public (QmpEvent, string) Key { get; } = key;

        public ITimer? Timer { get; set; }

        /// <summary>The line of the event that is held back, null when there is none.</summary>
        public abstract byte[]? TakeLine();
    }

    private sealed class Slot<T>(QmpEventLimiter owner, QmpEvent<T> item, string key) : Slot(owner, (item, key))
    {
        private T _data = default!;
        private DateTimeOffset _when;
        private bool _isHeld;

        public void Hold(T data, DateTimeOffset when)
        {
            _data = data;
            _when = when;
            _isHeld = true;
        }

        public override byte[]? TakeLine()
        {
            if (!_isHeld)
                return null;
            _isHeld = false;
            return QmpEventLine.Write(item, _data, _when);
        }
    }
}
