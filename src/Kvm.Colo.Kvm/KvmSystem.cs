using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Kvm.Colo.Native;
using static Kvm.Colo.Native.KvmConstants;
using static Kvm.Colo.Native.KvmIoctl;

namespace Kvm.Colo.Kvm;

/// <summary>/dev/kvm: opened once, checked for everything a VM here needs. Immutable after <see cref="Open"/>, safe from any thread.</summary>
internal sealed unsafe class KvmSystem : IDisposable
{
    public const string DefaultPath = "/dev/kvm";

    private static readonly (int Capability, string Name)[] s_required =
    [
        (KVM_CAP_USER_MEMORY, nameof(KVM_CAP_USER_MEMORY)),
        (KVM_CAP_IRQCHIP, nameof(KVM_CAP_IRQCHIP)),
        (KVM_CAP_PIT2, nameof(KVM_CAP_PIT2)),
        (KVM_CAP_IRQ_ROUTING, nameof(KVM_CAP_IRQ_ROUTING)),
        (KVM_CAP_EXT_CPUID, nameof(KVM_CAP_EXT_CPUID)),
        (KVM_CAP_MP_STATE, nameof(KVM_CAP_MP_STATE)),
        (KVM_CAP_SYNC_MMU, nameof(KVM_CAP_SYNC_MMU)),
        (KVM_CAP_VCPU_EVENTS, nameof(KVM_CAP_VCPU_EVENTS)),
        (KVM_CAP_DEBUGREGS, nameof(KVM_CAP_DEBUGREGS)),
        (KVM_CAP_XCRS, nameof(KVM_CAP_XCRS)),
        (KVM_CAP_XSAVE, nameof(KVM_CAP_XSAVE)),
        (KVM_CAP_SREGS2, nameof(KVM_CAP_SREGS2)),
        (KVM_CAP_IMMEDIATE_EXIT, nameof(KVM_CAP_IMMEDIATE_EXIT)),
        (KVM_CAP_ADJUST_CLOCK, nameof(KVM_CAP_ADJUST_CLOCK)),
        (KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, nameof(KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2)),
    ];

    private readonly SafeDescriptor _device;

    private KvmSystem(SafeDescriptor device)
    {
        _device = device;
        VcpuMapBytes = (int)KvmException.Check(nameof(KVM_GET_VCPU_MMAP_SIZE), Shim.IoctlInt(device, KVM_GET_VCPU_MMAP_SIZE, 0));
        IsSoftwareKvm = !HostHasHardwareVirtualization();
    }

    /// <summary>Size of the shared run page of a vCPU, in bytes.</summary>
    public int VcpuMapBytes { get; }

    /// <summary>
    /// Whether KVM works without VMX or SVM (kvm-pvm). Such a KVM emulates ring 0 and loses pages in the dirty ring, so the ring is
    /// never chosen there.
    /// </summary>
    public bool IsSoftwareKvm { get; }

    /// <summary>Opens and checks the device.</summary>
    /// <exception cref="KvmUnavailableException">Missing, denied, of another API version, or lacking a capability.</exception>
    public static KvmSystem Open(string path = DefaultPath)
    {
        long result = Shim.Open(path, 2 /* O_RDWR */, 0);
        if (result < 0)
            throw Refused(path, (Errno)(-result));
        SafeDescriptor device = new(result);
        try
        {
            long version = Shim.IoctlInt(device, KVM_GET_API_VERSION, 0);
            if (version != KVM_API_VERSION)
            {
                throw new KvmUnavailableException(
                    version < 0 ? $"{path} is not a KVM device" : $"{path} speaks KVM API version {version}, not {KVM_API_VERSION}",
                    "load the kernel's kvm module and use its device node");
            }

            foreach ((int capability, string name) in s_required)
            {
                if (Shim.IoctlInt(device, KVM_CHECK_EXTENSION, capability) <= 0)
                    throw new KvmUnavailableException($"{path} lacks {name}", "run Linux 5.14 or newer");
            }

            return new KvmSystem(device);
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    /// <summary>What KVM_CHECK_EXTENSION says of a capability: 0 or less is absent.</summary>
    public int Check(int capability) => (int)Shim.IoctlInt(_device, KVM_CHECK_EXTENSION, capability);

    /// <summary>Creates an empty VM.</summary>
    /// <exception cref="KvmException">The kernel refused.</exception>
    public KvmVm CreateVm()
    {
        long result;
        do
            result = Shim.IoctlInt(_device, KVM_CREATE_VM, 0);
        while (result == -(long)Errno.EINTR); // a loaded host answers EINTR; nothing was created
        return new KvmVm(this, new SafeDescriptor(KvmException.Check(nameof(KVM_CREATE_VM), result)));
    }

    /// <summary>The CPUID leaves this KVM can give a guest.</summary>
    public CpuidTable GetSupportedCpuid()
    {
        byte[] buffer = new byte[sizeof(kvm_cpuid2) + (CpuidTable.MaxEntries * sizeof(kvm_cpuid_entry2))];
        MemoryMarshal.Write(buffer, new kvm_cpuid2 { nent = CpuidTable.MaxEntries });
        fixed (byte* pointer = buffer)
            KvmException.Check(nameof(KVM_GET_SUPPORTED_CPUID), Shim.IoctlPtr(_device, KVM_GET_SUPPORTED_CPUID, pointer));
        uint count = MemoryMarshal.Read<kvm_cpuid2>(buffer).nent;
        return new CpuidTable(MemoryMarshal.Cast<byte, kvm_cpuid_entry2>(buffer.AsSpan(sizeof(kvm_cpuid2)))[..(int)count].ToArray());
    }

    /// <summary>The leaves of a CPU model on this host, before a vCPU's own are filled in.</summary>
    /// <exception cref="KvmUnavailableException">The host lacks a feature of the model.</exception>
    public CpuidTable GetCpuid(CpuModel model) =>
        model == CpuModel.Baseline ? CpuBaseline.For(GetSupportedCpuid()) : GetSupportedCpuid().WithNames(ReadHostLeaf);

    /// <summary>Indexes of the model-specific registers that a vCPU's state consists of.</summary>
    public uint[] GetMsrIndexes()
    {
        const int MaxEntries = 4096;
        byte[] buffer = new byte[sizeof(kvm_msr_list) + (MaxEntries * sizeof(uint))];
        MemoryMarshal.Write(buffer, new kvm_msr_list { nmsrs = MaxEntries });
        fixed (byte* pointer = buffer)
            KvmException.Check(nameof(KVM_GET_MSR_INDEX_LIST), Shim.IoctlPtr(_device, KVM_GET_MSR_INDEX_LIST, pointer));
        uint count = MemoryMarshal.Read<kvm_msr_list>(buffer).nmsrs;
        return MemoryMarshal.Cast<byte, uint>(buffer.AsSpan(sizeof(kvm_msr_list)))[..(int)count].ToArray();
    }

    public void Dispose() => _device.Dispose();

    private static (uint Eax, uint Ebx, uint Ecx, uint Edx) ReadHostLeaf(uint function)
    {
        (int eax, int ebx, int ecx, int edx) = X86Base.CpuId((int)function, 0);
        return ((uint)eax, (uint)ebx, (uint)ecx, (uint)edx);
    }

    private static KvmUnavailableException Refused(string path, Errno errno) => errno switch
    {
        Errno.ENOENT => new KvmUnavailableException($"{path} does not exist: this host has no KVM",
            "enable virtualization in the firmware and load kvm_intel or kvm_amd, or use the emulated host: scripts/testbed run -- COMMAND"),
        Errno.EACCES or Errno.EPERM => new KvmUnavailableException($"{path}: permission denied",
            "join the group kvm: sudo usermod -aG kvm $USER, then log in again"),
        _ => new KvmUnavailableException($"{path}: {new NativeException("open", errno).Message}", "load kvm_intel or kvm_amd"),
    };

    private static bool HostHasHardwareVirtualization()
    {
        try
        {
            foreach (string line in File.ReadLines("/proc/cpuinfo"))
            {
                if (!line.StartsWith("flags", StringComparison.Ordinal))
                    continue;
                string flags = line + " ";
                return flags.Contains(" vmx ", StringComparison.Ordinal) || flags.Contains(" svm ", StringComparison.Ordinal);
            }
        }
        catch (IOException)
        {
            // No /proc: assume the careful case.
        }

        return false;
    }
}
