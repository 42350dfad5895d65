namespace Kvm.Colo.Qmp.Hosting;

/// <summary>QAPI <c>COLOStatus</c>.</summary>
internal sealed record QmpColoStatus(QmpColoMode Mode, QmpColoMode LastMode, QmpColoExitReason Reason);

/// <summary>QAPI <c>COLOMode</c>.</summary>
internal enum QmpColoMode
{
    None,
    Primary,
    Secondary,
}

/// <summary>QAPI <c>COLOExitReason</c>; None and Processing occur in queries only.</summary>
internal enum QmpColoExitReason
{
    None,
    Request,
    Error,
    Processing,
}

/// <summary>QAPI has no name for it: the failover machine of design.md section 4.</summary>
internal enum QmpFailoverState
{
    None,
    Require,
    Active,
    Completed,
    Relaunch,
}
