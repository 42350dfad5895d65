using Kvm.Colo.Kvm;
using Kvm.Colo.Native;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Machine.State;

/// <summary>One vCPU's registers as the stream carries them; the fields are those of a <see cref="VcpuSnapshot"/>.</summary>
internal sealed class VcpuState(VcpuSnapshot snapshot) : DeviceState
{
    private int _xsaveLength = snapshot.Xsave.Length;

    public override void Visit(StateVisitor v)
    {
        v.U32("mp_state", ref snapshot.MpState.mp_state);
        VisitRegs(v, ref snapshot.Regs);
        VisitSregs(v, ref snapshot.Sregs);
        v.VariableBytes("xsave", snapshot.Xsave, ref _xsaveLength);
        v.Bytes("xcrs", snapshot.XcrsBytes);
        v.Bytes("debugregs", snapshot.DebugRegsBytes);
        v.Bytes("lapic", snapshot.LapicBytes);
        v.Count("msr_count", ref snapshot.MsrCount, VcpuSnapshot.MaxMsrs);
        for (int i = 0; i < snapshot.MsrCount; i++)
        {
            v.U32("msr_index", ref snapshot.Msrs[i].index);
            v.U64("msr_value", ref snapshot.Msrs[i].data);
        }

        VisitEvents(v, ref snapshot.Events);
    }

    public override string? Validate()
    {
        if (_xsaveLength != snapshot.Xsave.Length)
            return $"its XSAVE area has {_xsaveLength} bytes, this host's has {snapshot.Xsave.Length}";
        if (snapshot.MpState.mp_state > 9)
            return $"multiprocessing state {snapshot.MpState.mp_state} does not exist";
        return snapshot.Xcrs.nr_xcrs > 16 ? $"{snapshot.Xcrs.nr_xcrs} extended control registers" : null;
    }

    private static void VisitRegs(StateVisitor v, ref kvm_regs r)
    {
        v.U64("rax", ref r.rax);
        v.U64("rbx", ref r.rbx);
        v.U64("rcx", ref r.rcx);
        v.U64("rdx", ref r.rdx);
        v.U64("rsi", ref r.rsi);
        v.U64("rdi", ref r.rdi);
        v.U64("rsp", ref r.rsp);
        v.U64("rbp", ref r.rbp);
        v.U64("r8", ref r.r8);
        v.U64("r9", ref r.r9);
        v.U64("r10", ref r.r10);
        v.U64("r11", ref r.r11);
        v.U64("r12", ref r.r12);
        v.U64("r13", ref r.r13);
        v.U64("r14", ref r.r14);
        v.U64("r15", ref r.r15);
        v.U64("rip", ref r.rip);
        v.U64("rflags", ref r.rflags);
    }

    private static void VisitSregs(StateVisitor v, ref kvm_sregs2 s)
    {
        VisitSegment(v, ref s.cs);
        VisitSegment(v, ref s.ds);
        VisitSegment(v, ref s.es);
        VisitSegment(v, ref s.fs);
        VisitSegment(v, ref s.gs);
        VisitSegment(v, ref s.ss);
        VisitSegment(v, ref s.tr);
        VisitSegment(v, ref s.ldt);
        v.U64("gdt_base", ref s.gdt.@base);
        v.U16("gdt_limit", ref s.gdt.limit);
        v.U64("idt_base", ref s.idt.@base);
        v.U16("idt_limit", ref s.idt.limit);
        v.U64("cr0", ref s.cr0);
        v.U64("cr2", ref s.cr2);
        v.U64("cr3", ref s.cr3);
        v.U64("cr4", ref s.cr4);
        v.U64("cr8", ref s.cr8);
        v.U64("efer", ref s.efer);
        v.U64("apic_base", ref s.apic_base);
        v.U64("sregs_flags", ref s.flags);
        v.U64Array("pdptrs", VcpuSnapshot.Pdptrs(ref s));
    }

    private static void VisitSegment(StateVisitor v, ref kvm_segment s)
    {
        v.U64("base", ref s.@base);
        v.U32("limit", ref s.limit);
        v.U16("selector", ref s.selector);
        v.U8("type", ref s.type);
        v.U8("present", ref s.present);
        v.U8("dpl", ref s.dpl);
        v.U8("db", ref s.db);
        v.U8("s", ref s.s);
        v.U8("l", ref s.l);
        v.U8("g", ref s.g);
        v.U8("avl", ref s.avl);
        v.U8("unusable", ref s.unusable);
    }

    private static void VisitEvents(StateVisitor v, ref kvm_vcpu_events e)
    {
        v.U8("exception_injected", ref e.exception_injected);
        v.U8("exception_nr", ref e.exception_nr);
        v.U8("exception_has_error_code", ref e.exception_has_error_code);
        v.U8("exception_pending", ref e.exception_pending);
        v.U32("exception_error_code", ref e.exception_error_code);
        v.U8("interrupt_injected", ref e.interrupt_injected);
        v.U8("interrupt_nr", ref e.interrupt_nr);
        v.U8("interrupt_soft", ref e.interrupt_soft);
        v.U8("interrupt_shadow", ref e.interrupt_shadow);
        v.U8("nmi_injected", ref e.nmi_injected);
        v.U8("nmi_pending", ref e.nmi_pending);
        v.U8("nmi_masked", ref e.nmi_masked);
        v.U32("sipi_vector", ref e.sipi_vector);
        v.U32("events_flags", ref e.flags);
        v.U8("smi_smm", ref e.smi_smm);
        v.U8("smi_pending", ref e.smi_pending);
        v.U8("smi_smm_inside_nmi", ref e.smi_smm_inside_nmi);
        v.U8("smi_latched_init", ref e.smi_latched_init);
        v.U8("triple_fault_pending", ref e.triple_fault_pending);
        v.U8("exception_has_payload", ref e.exception_has_payload);
        v.U64("exception_payload", ref e.exception_payload);
    }
}
