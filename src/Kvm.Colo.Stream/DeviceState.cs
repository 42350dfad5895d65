namespace Kvm.Colo.Stream;

/// <summary>The saved state of one device, described once: the same <see cref="Visit"/> serves saving, loading, the JSON
/// description and comparison. It holds plain fields and no reference to the live device.</summary>
internal abstract class DeviceState
{
    /// <summary>Names every field in wire order; subsections last. Must not allocate, and must ask the visitor for nothing that
    /// the fields visited so far do not decide. A loop over a loaded count takes it from <see cref="StateVisitor.Count"/>.
    /// </summary>
    public abstract void Visit(StateVisitor v);

    /// <summary>Called after every section has been loaded and before any is applied; null when the device could be in this
    /// state, else why not. The values come from the peer.</summary>
    public virtual string? Validate() => null;
}
