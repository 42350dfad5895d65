using System.Diagnostics.CodeAnalysis;
using Kvm.Colo.Native;
using static Kvm.Colo.Devices.Virtio.Blk.VirtioBlkProtocol;

namespace Kvm.Colo.Devices.Virtio.Blk;

/// <content>
/// From the host back to the guest. Any thread puts an ended request into a list of its own lock; the list is emptied under the
/// device's lock. The device's lock is never wanted by whoever ends a request, so it may be held while waiting for requests to
/// end.
/// </content>
internal sealed partial class VirtioBlk
{
    private void OnSlotCompleted(VirtioBlkSlot slot)
    {
        // Ended inside Submit: whoever submits empties the list before letting go of the lock.
        bool isInline = Gate.IsHeldByCurrentThread;
        bool post;
        lock (_doneLock)
        {
            slot.Next = null;
            if (_doneLast is null)
                _doneFirst = slot;
            else
                _doneLast.Next = slot;
            _doneLast = slot;
            if (--_inFlight == 0)
                Monitor.PulseAll(_doneLock);
            post = !isInline && !_harvestPosted;
            _harvestPosted |= post;
        }

        if (post)
            Host.Loop.Post(_harvest);
    }

    private void OnHarvest()
    {
        lock (Gate)
        {
            lock (_doneLock)
                _harvestPosted = false;
            Finish();
            if (_isStarved && CanProcess)
                Reschedule(0);
        }
    }

    /// <summary>Gives everything that has ended back to the driver, with one interrupt. The lock is held.</summary>
    private void Finish()
    {
        for (VirtioBlkSlot? slot = TakeDone(); slot is not null;)
        {
            VirtioBlkSlot? next = slot.Next;
            Finish(slot);
            slot = next;
        }

        Publish(Queue(0));
    }

    private void Finish(VirtioBlkSlot slot)
    {
        // Whatever the result: the kernel may have written a part before it failed.
        slot.Chain.MarkWritten(Memory, slot.FilledBytes);
        Errno result = slot.Request.Result;
        Counters.OnEnd(slot.Request, result != Errno.None, Host.Time.GetElapsedTime(slot.BegunTimestamp));
        if (result != Errno.None)
            HostErrors.Report("a request failed with this errno", (ulong)result);
        if (!IsActive)
            Release(slot);
        else if (result == Errno.None)
            End(slot, StatusOk, (uint)slot.FilledBytes);
        else
            End(slot, StatusIoError, 0);
    }

    private VirtioBlkSlot? TakeDone()
    {
        lock (_doneLock)
        {
            VirtioBlkSlot? first = _doneFirst;
            _doneFirst = null;
            _doneLast = null;
            return first;
        }
    }

    private bool WaitForRequests(TimeSpan deadline)
    {
        long start = Host.Time.GetTimestamp();
        lock (_doneLock)
        {
            while (_inFlight > 0)
            {
                TimeSpan left = deadline - Host.Time.GetElapsedTime(start);
                if (left <= TimeSpan.Zero || !Monitor.Wait(_doneLock, left))
                    return _inFlight == 0;
            }
        }

        return true;
    }

    private bool TryTakeSlot([NotNullWhen(true)] out VirtioBlkSlot? slot)
    {
        slot = _free;
        if (slot is not null)
            _free = slot.Next;
        else if (_slotCount < QueueSize)
            slot = NewSlot();
        _isStarved = slot is null;
        return slot is not null;
    }

    private VirtioBlkSlot NewSlot()
    {
        _slotCount++;
        return new VirtioBlkSlot(QueueSize, _slotCompleted);
    }

    private void Release(VirtioBlkSlot slot)
    {
        slot.Next = _free;
        _free = slot;
    }
}
