namespace Kvm.Colo.Devices.Rtc;

/// <summary>What the CMOS tells the guest about its machine.</summary>
/// <param name="LowRamBytes">RAM from address 0 up to the 32-bit hole.</param>
/// <param name="HighRamBytes">RAM from 4 GiB upward.</param>
internal sealed record RtcConfig(ulong LowRamBytes, ulong HighRamBytes);
