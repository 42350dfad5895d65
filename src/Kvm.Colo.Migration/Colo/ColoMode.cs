namespace Kvm.Colo.Migration.Colo;

/// <summary>The part this side plays (QAPI COLOMode).</summary>
internal enum ColoMode
{
    None,
    Primary,
    Secondary,
}
