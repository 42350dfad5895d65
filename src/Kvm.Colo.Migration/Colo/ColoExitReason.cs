namespace Kvm.Colo.Migration.Colo;

/// <summary>Why this side left COLO (QAPI COLOExitReason).</summary>
internal enum ColoExitReason
{
    None,
    Request,
    Error,
    Processing,
}
