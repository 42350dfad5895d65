using Kvm.Colo.Kvm;
using Kvm.Colo.Native;
using static Kvm.Colo.Cli.Check.CheckLevel;
using static Kvm.Colo.Native.KvmConstants;

namespace Kvm.Colo.Cli.Check;

/// <summary>Looks at what this host can and cannot do. Opens devices, changes nothing.</summary>
internal static class HostCheck
{
    private const int NormalXsaveBytes = 4096;

    public static IReadOnlyList<CheckFact> Run()
    {
        List<CheckFact> facts = [];
        try
        {
            using KvmSystem kvm = KvmSystem.Open();
            facts.Add(new CheckFact("KVM", Ok, $"{KvmSystem.DefaultPath} opens, API version {KVM_API_VERSION}"));
            facts.Add(new CheckFact("capabilities", Ok, "everything a VM needs is there"));
            AddKind(facts, kvm);
            AddVm(facts, kvm);
            AddCapabilities(facts, kvm);
        }
        catch (KvmUnavailableException e)
        {
            facts.Add(new CheckFact("KVM", Fail, e.Problem, e.Remedy));
        }

        HostFacts.Add(facts);
        return facts;
    }

    private static void AddKind(List<CheckFact> facts, KvmSystem kvm) => facts.Add(kvm.IsSoftwareKvm
        ? new CheckFact("virtualization", Warn,
            "software KVM (kvm-pvm): the CPU offers no VMX or SVM; code of ring 0 is emulated and slow",
            "use a host with hardware virtualization for anything but tests")
        : new CheckFact("virtualization", Ok, "hardware (VMX or SVM)"));

    // A VM is the only proof that VMs can be had: a device node may open and KVM_CREATE_VM still fail.
    private static void AddVm(List<CheckFact> facts, KvmSystem kvm)
    {
        try
        {
            using KvmVm vm = kvm.CreateVm();
            vm.CreateInterruptChips();
            using KvmVcpu vcpu = vm.CreateVcpu(0);
            facts.Add(new CheckFact("VM", Ok, "a VM with interrupt chips and a vCPU can be made"));
            string xsave = $"{vm.XsaveBytes} bytes"
                + (vm.HasXsave2 && vm.XsaveBytes > NormalXsaveBytes ? ", with dynamic features" : "");
            facts.Add(new CheckFact("XSAVE area", Ok, xsave));
        }
        catch (Exception e) when (e is KvmException or NativeException)
        {
            facts.Add(new CheckFact("VM", Fail, e.Message,
                "see dmesg for what the kernel says; other VMs may hold what it needs"));
        }
    }

    private static void AddCapabilities(List<CheckFact> facts, KvmSystem kvm)
    {
        facts.Add(new CheckFact("vCPUs", Ok, $"up to {Math.Min(kvm.Check(KVM_CAP_MAX_VCPUS), Machine.MachineConfig.MaxCpus)} "
            + $"(KVM: {kvm.Check(KVM_CAP_MAX_VCPUS)} at most, {kvm.Check(KVM_CAP_NR_VCPUS)} advised)"));
        int ring = Math.Max(kvm.Check(KVM_CAP_DIRTY_LOG_RING_ACQ_REL), kvm.Check(KVM_CAP_DIRTY_LOG_RING));
        facts.Add((ring, kvm.IsSoftwareKvm) switch
        {
            ( <= 0, _) => new CheckFact("dirty ring", Warn,
                "not offered: the bitmap is used, whose cost grows with the guest's RAM",
                "run Linux 5.11 or newer with CONFIG_HAVE_KVM_DIRTY_RING"),
            (_, true) => new CheckFact("dirty ring", Warn, "offered, but software KVM loses pages in it: the bitmap is used"),
            _ => new CheckFact("dirty ring", Ok, $"usable, up to {ring} bytes a vCPU"),
        });
        facts.Add(new CheckFact("dirty bitmap", Ok, "usable, with manual protection"));
        Offer(facts, kvm, "TSC scaling", KVM_CAP_TSC_CONTROL,
            "a guest that moves to a CPU of another clock rate sees its TSC change pace");
        Offer(facts, kvm, "MSI", KVM_CAP_SIGNAL_MSI, "devices use interrupt lines only");
        Offer(facts, kvm, "kvmclock pause", KVM_CAP_KVMCLOCK_CTRL, "a guest may report soft lockups after a long stop");
    }

    private static void Offer(List<CheckFact> facts, KvmSystem kvm, string name, int capability, string without) => facts.Add(
        kvm.Check(capability) > 0 ? new CheckFact(name, Ok, "offered") : new CheckFact(name, Warn, $"not offered: {without}"));
}
