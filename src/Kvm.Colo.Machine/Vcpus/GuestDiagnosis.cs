using System.Text;
using Iced.Intel;
using Kvm.Colo.Kvm;
using Kvm.Colo.Native;

namespace Kvm.Colo.Machine.Vcpus;

/// <summary>Says what a vCPU was at when KVM gave up on it: exit, registers, the instruction's bytes and its disassembly.</summary>
internal static class GuestDiagnosis
{
    /// <summary>Several lines for the log; only on the vCPU's own thread, right after the exit.</summary>
    public static string Describe(KvmVcpu vcpu)
    {
        StringBuilder text = new();
        text.Append($"vCPU {vcpu.Index}: {Reason(vcpu)}\n");
        kvm_regs r = vcpu.GetRegs();
        kvm_sregs2 s = vcpu.GetSregs();
        AppendRegisters(text, r, s);
        if (vcpu.ExitReason == ExitReason.InternalError)
            AppendInstruction(text, vcpu.InternalError().Instruction, r.rip, s);
        return text.ToString().TrimEnd('\n');
    }

    /// <summary>The registers of a vCPU in QEMU's order, for a person.</summary>
    public static void AppendRegisters(StringBuilder text, kvm_regs r, kvm_sregs2 s)
    {
        text.Append($"RAX={r.rax:x16} RBX={r.rbx:x16} RCX={r.rcx:x16} RDX={r.rdx:x16}\n");
        text.Append($"RSI={r.rsi:x16} RDI={r.rdi:x16} RBP={r.rbp:x16} RSP={r.rsp:x16}\n");
        text.Append($"R8 ={r.r8:x16} R9 ={r.r9:x16} R10={r.r10:x16} R11={r.r11:x16}\n");
        text.Append($"R12={r.r12:x16} R13={r.r13:x16} R14={r.r14:x16} R15={r.r15:x16}\n");
        text.Append($"RIP={r.rip:x16} RFL={r.rflags:x8} CPL={s.ss.dpl}\n");
        text.Append($"CS ={s.cs.selector:x4} {s.cs.@base:x16} {s.cs.limit:x8}  SS ={s.ss.selector:x4} {s.ss.@base:x16} {s.ss.limit:x8}\n");
        text.Append($"GDT={s.gdt.@base:x16} {s.gdt.limit:x4}  IDT={s.idt.@base:x16} {s.idt.limit:x4}\n");
        text.Append($"CR0={s.cr0:x8} CR2={s.cr2:x16} CR3={s.cr3:x16} CR4={s.cr4:x8} EFER={s.efer:x}\n");
    }

    private static string Reason(KvmVcpu vcpu) => vcpu.ExitReason switch
    {
        ExitReason.InternalError => $"KVM internal error, suberror {vcpu.InternalError().Suberror}"
            + (vcpu.InternalError().Suberror == InternalErrorExit.Emulation ? " (emulation failure)" : ""),
        ExitReason.FailEntry => $"KVM could not enter the guest, hardware reason 0x{vcpu.FailEntryReason:x}",
        _ => $"unexpected exit from KVM, reason {(uint)vcpu.ExitReason}",
    };

    private static void AppendInstruction(StringBuilder text, ReadOnlySpan<byte> bytes, ulong rip, kvm_sregs2 s)
    {
        if (bytes.IsEmpty)
        {
            text.Append("KVM gave no instruction bytes\n");
            return;
        }

        int bitness = (s.efer & 0x400) != 0 && s.cs.l != 0 ? 64 : s.cs.db != 0 ? 32 : 16;
        Iced.Intel.Decoder decoder = Iced.Intel.Decoder.Create(bitness, new ByteArrayCodeReader(bytes.ToArray()), rip);
        Instruction instruction = decoder.Decode();
        text.Append($"code: {Convert.ToHexStringLower(bytes)}  {(instruction.IsInvalid ? "(not an instruction)" : instruction.ToString())}\n");
    }
}
