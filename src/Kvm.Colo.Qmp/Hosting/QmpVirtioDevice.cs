namespace Kvm.Colo.Qmp.Hosting;

/// <summary>What one virtio device has been through since the machine was made.</summary>
/// <param name="Id">The id the user gave, or the machine.</param>
/// <param name="Type">Its kind, such as <c>virtio-blk</c>.</param>
/// <param name="Status">The status register (virtio 1.2, section 2.1).</param>
/// <param name="GuestFaults">What its driver did wrong.</param>
/// <param name="HostErrors">What the host refused.</param>
/// <param name="Net">A network card's own; null for others.</param>
internal sealed record QmpVirtioDevice(string Id, string Type, long Status, long GuestFaults, long HostErrors, QmpNetCard? Net = null)
{
    /// <summary>Whether it stands still until its driver resets it.</summary>
    public bool NeedsReset => (Status & 0x40) != 0;
}
