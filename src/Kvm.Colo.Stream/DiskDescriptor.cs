namespace Kvm.Colo.Stream;

/// <summary>A disk of the guest, as both sides must have it.</summary>
/// <param name="Name">Its id.</param>
/// <param name="SizeBytes">A multiple of 512.</param>
/// <param name="IsReadOnly">Whether the guest may not write it: then its content must be the same on both sides already.</param>
internal readonly record struct DiskDescriptor(string Name, ulong SizeBytes, bool IsReadOnly);
