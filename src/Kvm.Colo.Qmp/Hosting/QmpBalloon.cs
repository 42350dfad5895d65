namespace Kvm.Colo.Qmp.Hosting;

/// <summary>QAPI <c>BalloonInfo</c>.</summary>
/// <param name="ActualBytes">What the guest has of its RAM.</param>
internal sealed record QmpBalloon(long ActualBytes);
