namespace Kvm.Colo.Memory;

/// <summary>An address in the guest's physical address space, in bytes; never an address of this process.</summary>
internal readonly record struct GuestPhysicalAddress(ulong Value)
{
    public static GuestPhysicalAddress operator +(GuestPhysicalAddress gpa, ulong bytes) => new(checked(gpa.Value + bytes));

    public override string ToString() => $"gpa:0x{Value:x}";
}
