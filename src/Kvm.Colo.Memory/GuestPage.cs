namespace Kvm.Colo.Memory;

/// <summary>The page everything here is counted in: 4 KiB, the granule of KVM's dirty log and of the migration stream.</summary>
internal static class GuestPage
{
    public const int SizeBytes = 4096;
    public const int Shift = 12;
}
