namespace Kvm.Colo.Machine;

/// <summary>How guest writes are tracked.</summary>
internal enum DirtyTracking
{
    /// <summary>The ring where it can be trusted, else the bitmap.</summary>
    Auto,
    Bitmap,
    Ring,
}
