using System.Runtime.InteropServices;

namespace Kvm.Colo.Native;

/// <summary>The page a vCPU shares with its thread: why KVM_RUN came back, and with what. Only the parts used here are mirrored.</summary>
[StructLayout(LayoutKind.Explicit, Size = 2352)]
internal struct kvm_run
{
    [FieldOffset(0)]
    public byte request_interrupt_window;

    [FieldOffset(1)]
    public byte immediate_exit;

    [FieldOffset(8)]
    public uint exit_reason;

    [FieldOffset(12)]
    public byte ready_for_interrupt_injection;

    [FieldOffset(13)]
    public byte if_flag;

    [FieldOffset(14)]
    public ushort flags;

    [FieldOffset(16)]
    public ulong cr8;

    [FieldOffset(24)]
    public ulong apic_base;

    [FieldOffset(32), KernelField("hw.hardware_exit_reason")]
    public ulong hw_hardware_exit_reason;

    [FieldOffset(32), KernelField("fail_entry.hardware_entry_failure_reason")]
    public ulong fail_entry_hardware_entry_failure_reason;

    [FieldOffset(40), KernelField("fail_entry.cpu")]
    public uint fail_entry_cpu;

    [FieldOffset(32), KernelField("io.direction")]
    public byte io_direction;

    [FieldOffset(33), KernelField("io.size")]
    public byte io_size;

    [FieldOffset(34), KernelField("io.port")]
    public ushort io_port;

    [FieldOffset(36), KernelField("io.count")]
    public uint io_count;

    [FieldOffset(40), KernelField("io.data_offset")]
    public ulong io_data_offset;

    [FieldOffset(32), KernelField("mmio.phys_addr")]
    public ulong mmio_phys_addr;

    [FieldOffset(40), KernelField("mmio.data")]
    public ulong mmio_data;

    [FieldOffset(48), KernelField("mmio.len")]
    public uint mmio_len;

    [FieldOffset(52), KernelField("mmio.is_write")]
    public byte mmio_is_write;

    [FieldOffset(32), KernelField("internal.suberror")]
    public uint internal_suberror;

    [FieldOffset(36), KernelField("internal.ndata")]
    public uint internal_ndata;

    [FieldOffset(40), KernelField("internal.data")]
    public ulong internal_data;

    [FieldOffset(48), KernelField("emulation_failure.insn_size")]
    public byte emulation_failure_insn_size;

    [FieldOffset(49), KernelField("emulation_failure.insn_bytes")]
    public byte emulation_failure_insn_bytes;

    [FieldOffset(32), KernelField("system_event.type")]
    public uint system_event_type;

    [FieldOffset(288)]
    public ulong kvm_valid_regs;

    [FieldOffset(304), KernelField("s.regs.regs")]
    public kvm_regs s_regs_regs;

    [FieldOffset(448), KernelField("s.regs.sregs")]
    public kvm_sregs s_regs_sregs;
}
