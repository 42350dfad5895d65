using Kvm.Colo.Net;
using static Kvm.Colo.Devices.Virtio.Net.VirtioNetProtocol;

namespace Kvm.Colo.Devices.Virtio.Net;

/// <content>
/// After a move or a failover: the network must learn where the guest is. The guest is asked to say it, and the host says it.
/// </content>
internal sealed partial class VirtioNet
{
    private const int AnnounceRounds = 5;
    private static readonly TimeSpan s_announceFirst = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_announceStep = TimeSpan.FromMilliseconds(100);
    private int _announceRoundsLeft;

    /// <summary>
    /// Announces the guest here, now and in four more rounds, 50 ms apart at first and 100 ms longer each time. Called when the
    /// guest runs here, on any thread.
    /// </summary>
    public void Announce()
    {
        lock (Gate)
        {
            _announceRoundsLeft = AnnounceRounds;
            AnnounceOnce();
        }
    }

    private void OnAnnounceTimer()
    {
        lock (Gate)
            AnnounceOnce();
    }

    private void AnnounceOnce()
    {
        if (_announceRoundsLeft == 0)
            return;
        if (_announceRoundsLeft > 1)
            _announceTimer.Start(s_announceFirst + (s_announceStep * (AnnounceRounds - _announceRoundsLeft)));

        // A card that stands still for a checkpoint has its turn afterwards; the round is not lost.
        if (IsQuiesced)
        {
            _announceTimer.Start(s_announceFirst);
            return;
        }

        _announceRoundsLeft--;
        if (!HasLink)
            return;
        Span<byte> frame = stackalloc byte[AnnounceFrame.SizeBytes];
        AnnounceFrame.Write(frame, _address);
        _backend.TrySend(frame);
        if (IsActive && (DriverFeatures & FeatureGuestAnnounce) != 0 && !_isAnnouncing)
        {
            _isAnnouncing = true;
            ChangeConfiguration();
        }
    }
}
