namespace Kvm.Colo.Machine.Loaders;

/// <summary>The processor mode of the first instruction.</summary>
internal enum BootMode
{
    Real,
    Protected32,
    Long64,
}
