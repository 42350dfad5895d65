using Kvm.Colo.Kvm;
using Kvm.Colo.Machine.Loaders;
using Kvm.Colo.Native;

namespace Kvm.Colo.Machine;

/// <summary>Gives the first vCPU the state a boot plan asks for.</summary>
internal static class BootRegisters
{
    /// <summary>The vCPU is parked and in its power-on state.</summary>
    /// <exception cref="KvmException">KVM refused the registers.</exception>
    public static void Apply(BootPlan plan, KvmVcpu vcpu)
    {
        kvm_sregs2 sregs = vcpu.GetSregs();
        sregs.cs = Segment(plan.Code);
        sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = Segment(plan.Data);
        sregs.tr = Segment(plan.Task);
        (sregs.gdt.@base, sregs.gdt.limit) = (plan.GdtBase, plan.GdtLimit);
        (sregs.idt.@base, sregs.idt.limit) = (plan.IdtBase, plan.IdtLimit);
        (sregs.cr0, sregs.cr3, sregs.cr4, sregs.efer) = (plan.Cr0, plan.Cr3, plan.Cr4, plan.Efer);
        vcpu.SetSregs(sregs);
        vcpu.SetRegs(new kvm_regs
        {
            rip = plan.EntryPoint,
            rax = plan.Rax,
            rbx = plan.Rbx,
            rdx = plan.Rdx,
            rsi = plan.Rsi,
            rsp = plan.StackPointer,
            rbp = plan.StackPointer,
            rflags = plan.Flags,
        });
    }

    private static kvm_segment Segment(BootSegment segment) => new()
    {
        @base = segment.Base,
        limit = segment.Limit,
        selector = segment.Selector,
        type = segment.Type,
        present = segment.IsPresent ? (byte)1 : (byte)0,
        db = segment.Is32Bit ? (byte)1 : (byte)0,
        s = segment.IsCodeOrData ? (byte)1 : (byte)0,
        l = segment.IsLong ? (byte)1 : (byte)0,
        g = segment.IsPageGranular ? (byte)1 : (byte)0,
        unusable = segment.IsPresent ? (byte)0 : (byte)1,
    };
}
