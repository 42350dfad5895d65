using Kvm.Colo.Native;
using Kvm.Colo.Net;
using static Kvm.Colo.Devices.Virtio.Net.VirtioNetProtocol;

namespace Kvm.Colo.Devices.Virtio.Net;

/// <content>From the guest, and its control requests.</content>
internal sealed partial class VirtioNet
{
    private void Transmit()
    {
        Virtqueue queue = Queue(TransmitQueue);
        int turn = queue.Size;
        do
        {
            while (turn > 0 && _backend.CanSend && TryTake(queue, _chain))
            {
                turn--;
                if (TrySend())
                    Counters.CountSent(_chain.ReadableBytes - VnetHeader.SizeBytes);
                else
                    Counters.CountSendDropped();
                queue.Push(_chain.Head, 0);
            }
        }
        while (turn > 0 && _backend.CanSend && TryRearm(queue));

        Publish(queue);
        if (turn == 0)
            Reschedule(TransmitQueue);
    }

    private bool TrySend()
    {
        if (_chain.ReadableBytes is < VnetHeader.SizeBytes + EthernetHeaderBytes or > VnetHeader.MaxFrameBytes)
        {
            Faults.Report("a frame of illegal length", _chain.ReadableBytes);
            return false;
        }

        Span<byte> frame = _transmitFrame.AsSpan(0, _chain.Read(Memory, 0, _transmitFrame));
        return HasLink && IsHeaderNegotiated(frame) && _backend.TrySend(frame) == Errno.None;
    }

    /// <summary>The host trusts nothing the driver did not accept: what a header asks for must have been negotiated.</summary>
    private bool IsHeaderNegotiated(Span<byte> frame)
    {
        byte gso = frame[VnetHeader.GsoTypeOffset];
        ulong needed = (gso & ~VnetHeader.GsoEcn) switch
        {
            VnetHeader.GsoNone => 0,
            VnetHeader.GsoTcp4 => FeatureHostTso4 | FeatureChecksum,
            VnetHeader.GsoTcp6 => FeatureHostTso6 | FeatureChecksum,
            _ => ulong.MaxValue,
        };
        if ((gso & VnetHeader.GsoEcn) != 0)
            needed |= FeatureHostEcn;
        if ((frame[VnetHeader.FlagsOffset] & VnetHeader.FlagNeedsChecksum) != 0)
            needed |= FeatureChecksum;
        if ((needed & ~DriverFeatures) == 0)
            return true;
        Faults.Report("a frame asks for an offload that was not negotiated", gso);
        return false;
    }

    private void Control()
    {
        Virtqueue queue = Queue(ControlQueue);
        int turn = queue.Size;
        do
        {
            while (turn > 0 && TryTake(queue, _chain))
            {
                turn--;
                ExecuteControl(queue);
            }
        }
        while (turn > 0 && TryRearm(queue));

        Publish(queue);
        if (turn == 0)
            Reschedule(ControlQueue);
    }

    private void ExecuteControl(Virtqueue queue)
    {
        Span<byte> header = stackalloc byte[ControlHeaderBytes];
        if (_chain.Read(Memory, 0, header) != ControlHeaderBytes || _chain.WritableBytes == 0)
        {
            Faults.Report("a control request without header or answer");
            queue.Push(_chain.Head, 0);
            return;
        }

        bool isAcknowledge = header[0] == ControlClassAnnounce
            && header[1] == ControlAnnounceAcknowledge
            && (DriverFeatures & FeatureGuestAnnounce) != 0;
        if (isAcknowledge)
            _isAnnouncing = false;
        byte answer = isAcknowledge ? ControlOk : ControlError;
        _chain.Write(Memory, 0, new ReadOnlySpan<byte>(in answer));
        queue.Push(_chain.Head, 1);
    }
}
