namespace Kvm.Colo.Memory;

/// <summary>A guest-physical range backed by RAM and registered with KVM; immutable.</summary>
/// <param name="Index">KVM's slot number.</param>
/// <param name="Start">Its first guest-physical address.</param>
/// <param name="SizeBytes">Its length in bytes, a multiple of the page size.</param>
/// <param name="RamOffset">Where it starts in the RAM block, in bytes.</param>
/// <param name="HostAddress">Where it is mapped in this process.</param>
internal sealed record MemorySlot(int Index, GuestPhysicalAddress Start, ulong SizeBytes, ulong RamOffset, nuint HostAddress)
{
    public ulong PageCount => SizeBytes >> GuestPage.Shift;

    public ulong FirstPage => RamOffset >> GuestPage.Shift;

    /// <summary>Whether the whole range lies in this slot; written so that no sum can wrap.</summary>
    public bool Contains(GuestPhysicalAddress at, ulong lengthBytes) =>
        at.Value >= Start.Value && at.Value - Start.Value <= SizeBytes && lengthBytes <= SizeBytes - (at.Value - Start.Value);
}
