using System.Buffers.Binary;
using Kvm.Colo.Net;
using static Kvm.Colo.Devices.Virtio.Net.VirtioNetProtocol;

namespace Kvm.Colo.Devices.Virtio.Net;

/// <content>
/// To the guest. Without buffers one frame is held and the backend is not looked at until the guest offers some: nothing spins,
/// and what comes too fast is dropped by the host's own queue.
/// </content>
internal sealed partial class VirtioNet
{
    private const int MaxFramesPerTurn = 64;

    // As many as a host's queue holds by default, and some more.
    private const int MaxFramesWhileDown = 2048;
    private readonly VirtqueueChain?[] _receiveChains = new VirtqueueChain?[QueueSize];
    private int _heldBytes;
    private bool _waitsForBuffers;

    private enum Delivery
    {
        Done,
        NoBuffers,
    }

    private void OnReadable()
    {
        lock (Gate)
        {
            try
            {
                PumpReceive();
            }
            catch (Exception e)
            {
                FailUnexpectedly(e);
                UpdateReceiving();
            }
        }
    }

    private void OnReceiveBuffers()
    {
        if (!_waitsForBuffers)
            return;
        _waitsForBuffers = false;
        PumpReceive();
        UpdateReceiving();
    }

    private void UpdateReceiving() => _backend.SetReceiving(CanProcess && HasLink && !_waitsForBuffers);

    // What came while the cable was out never arrived.
    private void DropWaiting()
    {
        for (int frames = 0; frames < MaxFramesWhileDown && (_heldBytes > 0 || _backend.TryReceive(_receiveFrame) > 0); frames++)
        {
            _heldBytes = 0;
            Counters.CountReceiveDropped();
        }

        _waitsForBuffers = false;
    }

    private void PumpReceive()
    {
        if (!CanProcess || !HasLink)
        {
            UpdateReceiving();
            return;
        }

        for (int turn = 0; turn < MaxFramesPerTurn; turn++)
        {
            if (_heldBytes == 0)
                _heldBytes = Math.Max(0, _backend.TryReceive(_receiveFrame));
            if (_heldBytes == 0)
                break;
            if (_heldBytes >= VnetHeader.SizeBytes + EthernetHeaderBytes
                && Deliver(_receiveFrame.AsSpan(0, _heldBytes)) == Delivery.NoBuffers)
            {
                _waitsForBuffers = true;
                UpdateReceiving();
                break;
            }

            _heldBytes = 0;
        }

        Publish(Queue(ReceiveQueue));
    }

    private Delivery Deliver(Span<byte> frame)
    {
        Virtqueue queue = Queue(ReceiveQueue);
        bool mergeable = (DriverFeatures & FeatureMergeableBuffers) != 0;
        int limit = mergeable ? Math.Min(queue.Size, _receiveChains.Length) : 1;
        int frameBytes = frame.Length;
        int count = 0;
        ulong room = 0;
        while (room < (ulong)frame.Length)
        {
            if (count == limit)
                return DropForSmallBuffers(queue, count);
            VirtqueueChain chain = _receiveChains[count] ??= new VirtqueueChain(QueueSize);
            switch (queue.TryPop(chain))
            {
                case VirtqueuePop.Empty:
                    queue.Unpop(count);
                    if (!TryRearm(queue))
                        return Delivery.NoBuffers;

                    // More came meanwhile. A guest that adds one at a time must not keep us here.
                    Reschedule(ReceiveQueue);
                    return Delivery.NoBuffers;
                case VirtqueuePop.Broken:
                    Fail("a ring index or head is out of range");
                    return Delivery.NoBuffers;
                case VirtqueuePop.Malformed:
                    Faults.Report("a descriptor chain is malformed");
                    break;
                default:
                    break;
            }

            // The header must be in the first buffer; a chain that cannot have it, like a malformed one, goes back empty.
            if (count == 0 && chain.WritableBytes < VnetHeader.SizeBytes)
            {
                queue.Push(chain.Head, 0);
                continue;
            }

            room += chain.WritableBytes;
            count++;
        }

        FillHeader(frame, mergeable ? count : 1);
        Fill(queue, frame, count);
        Counters.CountReceived((ulong)(frameBytes - VnetHeader.SizeBytes));
        return Delivery.Done;
    }

    private Delivery DropForSmallBuffers(Virtqueue queue, int count)
    {
        queue.Unpop(count);
        Faults.Report("receive buffers are too small for a frame");
        Counters.CountReceiveDropped();
        return Delivery.Done;
    }

    private void FillHeader(Span<byte> frame, int bufferCount)
    {
        if ((DriverFeatures & FeatureGuestChecksum) == 0)
            frame[VnetHeader.FlagsOffset] = 0;
        BinaryPrimitives.WriteUInt16LittleEndian(frame[VnetHeader.BufferCountOffset..], (ushort)bufferCount);
    }

    private void Fill(Virtqueue queue, ReadOnlySpan<byte> frame, int count)
    {
        for (int i = 0; i < count; i++)
        {
            VirtqueueChain chain = _receiveChains[i]!;
            int part = chain.Write(Memory, 0, frame);
            queue.Push(chain.Head, (uint)part);
            frame = frame[part..];
        }
    }
}
