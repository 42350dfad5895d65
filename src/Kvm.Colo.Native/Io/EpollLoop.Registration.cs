namespace Kvm.Colo.Native.Io;

/// <content>A watched descriptor and its place in the table of registrations.</content>
internal sealed unsafe partial class EpollLoop
{
    private sealed class Registration(
        EpollLoop loop, SafeDescriptor descriptor, Action<IoEvents> callback, int slot, uint generation) : IIoRegistration
    {
        private IoEvents _events;
        private bool _disposed;

        public Action<IoEvents> Callback { get; } = callback;

        // A slot is used again; an event of its former owner that is still in the batch carries the former generation.
        public uint Generation { get; } = generation;

        public void Update(IoEvents events)
        {
            lock (loop._lock)
            {
                if (!_disposed && !loop._stopping)
                    Watch(events);
            }
        }

        public void Dispose()
        {
            lock (loop._lock)
            {
                if (_disposed)
                    return;
                _disposed = true;
                if (!loop._stopping)
                    Watch(IoEvents.None);
                loop._registrations[slot] = null;
            }
        }

        // An unwatched descriptor leaves the set: an empty mask would still report errors and hang-ups, and spin on them.
        public void Watch(IoEvents events)
        {
            if (events == _events)
                return;
            int operation = _events == IoEvents.None ? AddOperation : events == IoEvents.None ? DeleteOperation : ModifyOperation;
            ulong token = ((ulong)Generation << 32) | (uint)slot;
            NativeException.Check("epoll_ctl", Shim.EpollCtl(loop._epoll, operation, descriptor, (uint)events, token));
            _events = events;
        }
    }
}
