namespace Kvm.Colo.Kvm;

/// <summary>How fast a host's time stamp counter runs, and whether its processor can show a guest another rate.</summary>
/// <param name="Khz">Its rate in kHz; 0 when the host cannot rely on it.</param>
/// <param name="CanScale">KVM_CAP_TSC_CONTROL.</param>
internal readonly record struct TscRate(uint Khz, bool CanScale)
{
    // KVM's own limit (its parameter tsc_tolerance_ppm): below it, a guest is shown the host's counter as it is.
    private const ulong ToleratedPpm = 250;

    // A kernel's own estimate of one and the same rate may be off by so much.
    private const ulong EstimatePpm = 2000;

    /// <summary>Whether a guest whose counter ran at <paramref name="guestKhz"/> can go on here; 0 is a rate nobody knows.</summary>
    public bool CanShow(uint guestKhz) => CanScale || IsNear(guestKhz, EstimatePpm);

    /// <summary>Whether showing that rate takes the processor's scaling.</summary>
    public bool Scales(uint guestKhz) => CanScale && !IsNear(guestKhz, ToleratedPpm);

    private bool IsNear(uint guestKhz, ulong ppm)
    {
        if (guestKhz == 0 || Khz == 0)
            return true;
        ulong difference = guestKhz > Khz ? guestKhz - Khz : Khz - guestKhz;
        return difference * 1_000_000 <= Khz * ppm;
    }
}
