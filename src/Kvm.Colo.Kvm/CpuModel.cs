namespace Kvm.Colo.Kvm;

/// <summary>Which CPU a guest sees (<c>--cpu</c>).</summary>
internal enum CpuModel
{
    /// <summary>What this host's KVM offers; the guest moves to hosts that offer at least the same.</summary>
    Host,

    /// <summary>The fixed set of <see cref="CpuBaseline"/>, which every x86-64-v2 host can give.</summary>
    Baseline,
}
