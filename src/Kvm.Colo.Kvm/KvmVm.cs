using System.Diagnostics;
using System.Runtime.InteropServices;
using Kvm.Colo.Memory;
using Kvm.Colo.Native;
using static Kvm.Colo.Native.KvmConstants;
using static Kvm.Colo.Native.KvmIoctl;

namespace Kvm.Colo.Kvm;

/// <summary>
/// One VM: memory slots, in-kernel interrupt chips, PIT and clock. Built by one thread; afterwards interrupt lines may be set from
/// any thread, and state is read and written only while every vCPU is parked.
/// </summary>
internal sealed unsafe class KvmVm : IDisposable
{
    public const int GsiCount = 24;

    // Three pages below the BIOS area that Intel's real-mode tricks need, and one for the identity map (vmm-recipe 2.2).
    private const ulong TssAddress = 0xFFFB_D000;
    private const ulong IdentityMapAddress = 0xFFFB_C000;

    // Far more than two vCPUs of one pause differ by, far less than a guest that sets its counters apart does.
    private const long SamePauseCycles = 1L << 30;

    /// <summary>The sets of registers that a vCPU leaves in the shared page, where KVM offers it.</summary>
    internal const uint SharedRegisters = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;

    private readonly SafeDescriptor _vm;
    private ulong _firstTsc;
    private ulong _firstTscOffset;

    internal KvmVm(KvmSystem system, SafeDescriptor vm)
    {
        System = system;
        _vm = vm;
        Call(nameof(KVM_SET_TSS_ADDR), Shim.IoctlInt(vm, KVM_SET_TSS_ADDR, (long)TssAddress));
        ulong identity = IdentityMapAddress;
        Call(nameof(KVM_SET_IDENTITY_MAP_ADDR), Shim.IoctlPtr(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity));
        long xsave = Shim.IoctlInt(vm, KVM_CHECK_EXTENSION, KVM_CAP_XSAVE2);
        XsaveBytes = xsave > 4096 ? (int)xsave : 4096;
        HasXsave2 = xsave > 0;
        HasSharedRegisters = (System.Check(KVM_CAP_SYNC_REGS) & SharedRegisters) == SharedRegisters;
    }

    public KvmSystem System { get; }

    /// <summary>Size of a vCPU's XSAVE area, in bytes; at least 4,096.</summary>
    public int XsaveBytes { get; }

    public bool HasXsave2 { get; }

    /// <summary>Whether a vCPU can leave general and special registers in the page it shares with its thread when it exits.</summary>
    public bool HasSharedRegisters { get; }

    /// <summary>vCPUs created so far.</summary>
    public int VcpuCount { get; private set; }

    /// <summary>The time stamp counter that vCPUs have from this host; known once there is one.</summary>
    public TscRate TscRate { get; private set; }

    /// <summary>Bytes of dirty ring per vCPU, 0 when the ring is not enabled.</summary>
    public uint DirtyRingBytes { get; private set; }

    /// <summary>Creates PIC, IOAPIC, local APICs and PIT, with the GSIs an ACPI guest expects (the PIT on IOAPIC pin 2).</summary>
    public void CreateInterruptChips()
    {
        Call(nameof(KVM_CREATE_IRQCHIP), Shim.IoctlInt(_vm, KVM_CREATE_IRQCHIP, 0));
        kvm_pit_config pit = new() { flags = KVM_PIT_SPEAKER_DUMMY };
        Call(nameof(KVM_CREATE_PIT2), Shim.IoctlPtr(_vm, KVM_CREATE_PIT2, &pit));
        SetDefaultRouting();
    }

    /// <summary>Switches every vCPU created later to dirty rings. Must come before the first vCPU.</summary>
    /// <exception cref="KvmException">The kernel refused the size or has no ring.</exception>
    public void EnableDirtyRing(uint bytesPerVcpu)
    {
        int capability = System.Check(KVM_CAP_DIRTY_LOG_RING_ACQ_REL) > 0 ? KVM_CAP_DIRTY_LOG_RING_ACQ_REL : KVM_CAP_DIRTY_LOG_RING;
        EnableCapability(capability, bytesPerVcpu);
        DirtyRingBytes = bytesPerVcpu;
    }

    /// <summary>Makes KVM_GET_DIRTY_LOG leave the protection alone until KVM_CLEAR_DIRTY_LOG.</summary>
    public void EnableManualDirtyProtect() => EnableCapability(KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE);

    /// <summary>Registers a slot or changes its dirty logging; right while vCPUs run.</summary>
    public void SetMemorySlot(MemorySlot slot, bool logDirtyPages)
    {
        kvm_userspace_memory_region region = new()
        {
            slot = (uint)slot.Index,
            flags = logDirtyPages ? KVM_MEM_LOG_DIRTY_PAGES : 0,
            guest_phys_addr = slot.Start.Value,
            memory_size = slot.SizeBytes,
            userspace_addr = slot.HostAddress,
        };
        Call(nameof(KVM_SET_USER_MEMORY_REGION), Shim.IoctlPtr(_vm, KVM_SET_USER_MEMORY_REGION, &region));
    }

    /// <summary>Copies the dirty bits of a slot into <paramref name="bitmap"/> (one bit per page) without clearing them.</summary>
    public void GetDirtyLog(MemorySlot slot, ulong* bitmap)
    {
        kvm_dirty_log log = new() { slot = (uint)slot.Index, dirty_bitmap = (ulong)bitmap };
        Call(nameof(KVM_GET_DIRTY_LOG), Shim.IoctlPtr(_vm, KVM_GET_DIRTY_LOG, &log));
    }

    /// <summary>
    /// Clears and write-protects the pages whose bits are set in <paramref name="bitmap"/>, whose first bit is
    /// <paramref name="firstPage"/>, a multiple of 64; the count is one too or reaches the slot's end.
    /// </summary>
    public void ClearDirtyLog(MemorySlot slot, ulong firstPage, ulong pageCount, ulong* bitmap)
    {
        kvm_clear_dirty_log log = new()
        {
            slot = (uint)slot.Index,
            first_page = firstPage,
            num_pages = checked((uint)pageCount),
            dirty_bitmap = (ulong)bitmap,
        };
        Call(nameof(KVM_CLEAR_DIRTY_LOG), Shim.IoctlPtr(_vm, KVM_CLEAR_DIRTY_LOG, &log));
    }

    /// <summary>Protects again the pages whose ring entries were marked as collected.</summary>
    public void ResetDirtyRings() => Call(nameof(KVM_RESET_DIRTY_RINGS), Shim.IoctlInt(_vm, KVM_RESET_DIRTY_RINGS, 0));

    /// <summary>
    /// What to add to this host's time stamp counter, now <paramref name="host"/> at the guest's rate, so that a vCPU that is being loaded
    /// sees <paramref name="value"/>. vCPU 0 comes first; the others, saved within the same pause, get its offset too, unless their guest
    /// has set them apart.
    /// </summary>
    internal ulong TscOffset(int index, ulong value, ulong host)
    {
        ulong offset = value - host;
        if (index == 0)
            (_firstTsc, _firstTscOffset) = (value, offset);
        return Math.Abs((long)(value - _firstTsc)) < SamePauseCycles ? _firstTscOffset : offset;
    }

    public KvmVcpu CreateVcpu(int index)
    {
        long descriptor = KvmException.Check(nameof(KVM_CREATE_VCPU), Shim.IoctlInt(_vm, KVM_CREATE_VCPU, index));
        VcpuCount++;
        KvmVcpu vcpu = new(this, index, new SafeDescriptor(descriptor));
        if (index == 0)
            TscRate = new TscRate(vcpu.GetTscKhz(), System.Check(KVM_CAP_TSC_CONTROL) > 0);
        return vcpu;
    }

    /// <summary>Sets the level of a GSI; it has reached the interrupt controller when this returns.</summary>
    public void SetInterruptLine(uint gsi, bool level)
    {
        kvm_irq_level line = new() { irq = gsi, level = level ? 1u : 0 };
        Call(nameof(KVM_IRQ_LINE), Shim.IoctlPtr(_vm, KVM_IRQ_LINE, &line));
    }

    /// <summary>Makes a write of <paramref name="lengthBytes"/> with this value to a guest-physical address signal an eventfd instead of exiting.</summary>
    public void AssignIoEvent(GuestPhysicalAddress at, uint lengthBytes, ulong value, SafeDescriptor eventDescriptor, bool assign)
    {
        kvm_ioeventfd request = new()
        {
            addr = at.Value,
            len = lengthBytes,
            datamatch = value,
            fd = eventDescriptor.Number,
            flags = KVM_IOEVENTFD_FLAG_DATAMATCH | (assign ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN),
        };
        Call(nameof(KVM_IOEVENTFD), Shim.IoctlPtr(_vm, KVM_IOEVENTFD, &request));
    }

    /// <summary>Reads the three interrupt chips, the PIT and the clock.</summary>
    public void Save(VmSnapshot into)
    {
        fixed (kvm_irqchip* chips = into.Chips)
        {
            for (uint i = 0; i < VmSnapshot.ChipCount; i++)
            {
                chips[i].chip_id = i;
                Call(nameof(KVM_GET_IRQCHIP), Shim.IoctlPtr(_vm, KVM_GET_IRQCHIP, chips + i));
            }
        }

        fixed (kvm_pit_state2* pit = &into.Pit)
            Call(nameof(KVM_GET_PIT2), Shim.IoctlPtr(_vm, KVM_GET_PIT2, pit));
        fixed (kvm_clock_data* clock = &into.Clock)
            Call(nameof(KVM_GET_CLOCK), Shim.IoctlPtr(_vm, KVM_GET_CLOCK, clock));
    }

    /// <summary>
    /// Since when a guest that is loaded has run on elsewhere (<see cref="Stopwatch"/> timestamp): its clocks and the local APICs' timers are
    /// loaded as they are there by now. 0: the guest sees no time pass between save and load.
    /// </summary>
    public long RanOnSince { get; set; }

    /// <summary>
    /// Loads clock, interrupt chips and PIT; before the vCPUs, whose local APICs must not be touched by the chips afterwards. See
    /// <see cref="RanOnSince"/> for the clock; the PIT begins its period anew, KVM takes no other place in it.
    /// </summary>
    public void Load(VmSnapshot from)
    {
        kvm_clock_data clock = new() { clock = from.Clock.clock + RanOnNanoseconds };
        Call(nameof(KVM_SET_CLOCK), Shim.IoctlPtr(_vm, KVM_SET_CLOCK, &clock));

        // The slave before its master, into which KVM latches a request for as long as the slave has one: what an old slave asks of a new
        // master would reach the guest as a vector of its own.
        SetChip(from, KVM_IRQCHIP_PIC_SLAVE);
        SetChip(from, KVM_IRQCHIP_PIC_MASTER);
        SetChip(from, KVM_IRQCHIP_IOAPIC);
        fixed (kvm_pit_state2* pit = &from.Pit)
            Call(nameof(KVM_SET_PIT2), Shim.IoctlPtr(_vm, KVM_SET_PIT2, pit));
    }

    /// <summary>For how long, by now; see <see cref="RanOnSince"/>.</summary>
    internal ulong RanOnNanoseconds =>
        RanOnSince == 0 ? 0 : (ulong)Stopwatch.GetElapsedTime(RanOnSince).Ticks * TimeSpan.NanosecondsPerTick;

    /// <summary>The kvmclock, in nanoseconds.</summary>
    public ulong GetClock()
    {
        kvm_clock_data clock;
        Call(nameof(KVM_GET_CLOCK), Shim.IoctlPtr(_vm, KVM_GET_CLOCK, &clock));
        return clock.clock;
    }

    /// <summary>Sets the kvmclock, in nanoseconds; every vCPU is parked.</summary>
    public void SetClock(ulong nanoseconds)
    {
        kvm_clock_data clock = new() { clock = nanoseconds };
        Call(nameof(KVM_SET_CLOCK), Shim.IoctlPtr(_vm, KVM_SET_CLOCK, &clock));
    }

    public void Dispose() => _vm.Dispose();

    private void SetChip(VmSnapshot from, uint id)
    {
        fixed (kvm_irqchip* chip = &from.Chips[id])
        {
            chip->chip_id = id;
            Call(nameof(KVM_SET_IRQCHIP), Shim.IoctlPtr(_vm, KVM_SET_IRQCHIP, chip));
        }
    }

    private static void Call(string name, long result) => KvmException.Check(name, result);

    private void EnableCapability(int capability, ulong argument)
    {
        kvm_enable_cap request = new() { cap = (uint)capability };
        request.args[0] = argument;
        Call(nameof(KVM_ENABLE_CAP), Shim.IoctlPtr(_vm, KVM_ENABLE_CAP, &request));
    }

    // KVM's default sends GSI 0 to IOAPIC pin 0; PC firmware tables, and so every ACPI guest, expect the PIT on pin 2.
    private void SetDefaultRouting()
    {
        int headerBytes = sizeof(kvm_irq_routing);
        Span<byte> table = stackalloc byte[headerBytes + (2 * GsiCount * sizeof(kvm_irq_routing_entry))];
        table.Clear();
        Span<kvm_irq_routing_entry> entries = MemoryMarshal.Cast<byte, kvm_irq_routing_entry>(table[headerBytes..]);
        int count = 0;
        for (uint gsi = 0; gsi < 16; gsi++)
        {
            if (gsi != 2)
                entries[count++] = Route(gsi, gsi < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE, gsi & 7);
        }

        for (uint gsi = 0; gsi < GsiCount; gsi++)
        {
            if (gsi != 2)
                entries[count++] = Route(gsi, KVM_IRQCHIP_IOAPIC, gsi == 0 ? 2 : gsi);
        }

        MemoryMarshal.Write(table, new kvm_irq_routing { nr = (uint)count });
        fixed (byte* pointer = table)
            Call(nameof(KVM_SET_GSI_ROUTING), Shim.IoctlPtr(_vm, KVM_SET_GSI_ROUTING, pointer));
    }

    private static kvm_irq_routing_entry Route(uint gsi, uint chip, uint pin) =>
        new() { gsi = gsi, type = KVM_IRQ_ROUTING_IRQCHIP, u_irqchip_irqchip = chip, u_irqchip_pin = pin };
}
