namespace Kvm.Colo.Devices.Virtio.Balloon;

/// <summary>What the balloon offers; the same on both hosts.</summary>
/// <param name="DeflatesOnOom">The driver takes pages back when its guest runs out of memory.</param>
/// <param name="ReportsFreePages">The driver tells of pages its guest does not use, whatever the balloon's size.</param>
internal sealed record VirtioBalloonConfig(bool DeflatesOnOom = true, bool ReportsFreePages = true);
