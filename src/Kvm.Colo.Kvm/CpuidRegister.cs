namespace Kvm.Colo.Kvm;

/// <summary>A result register of the CPUID instruction.</summary>
internal enum CpuidRegister
{
    Eax,
    Ebx,
    Ecx,
    Edx,
}
