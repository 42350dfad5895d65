namespace Kvm.Colo.Machine;

/// <summary>One disk of the machine; the first becomes the guest's vda.</summary>
/// <param name="Path">A raw image or a block device.</param>
/// <param name="Id">What messages and the control socket call it; unique among the machine's devices.</param>
/// <param name="IsReadOnly">Whether the guest may not write it; such an image may be open in several machines.</param>
internal sealed record DiskConfig(string Path, string Id, bool IsReadOnly = false);
