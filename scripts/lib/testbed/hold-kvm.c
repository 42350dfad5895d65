/* Keeps two small VMs open for as long as an emulated host lives.
 *
 * Creating the first VM and destroying the last one flips static keys in KVM (preempt notifier, vCPU without LAPIC, LAPIC
 * disabled in hardware or software), which rewrites kernel text; QEMU's multi-threaded TCG can keep the stale code, and that
 * CPU then loops in the exception entry for ever. With these VMs open the keys never flip again.
 *
 * Returns 0 when they are open (a child process holds them), 1 with a line of explanation when they are not. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define APIC_BASE_ENABLE (1ull << 11)

static int failed(const char *what)
{
    fprintf(stderr, "hold-kvm: %s: %s\n", what, strerror(errno));
    return 1;
}

static int open_vms(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm < 0)
        return failed("/dev/kvm");

    int plain = ioctl(kvm, KVM_CREATE_VM, 0), chips = ioctl(kvm, KVM_CREATE_VM, 0);
    if (plain < 0 || chips < 0)
        return failed("KVM_CREATE_VM");
    if (ioctl(chips, KVM_CREATE_IRQCHIP, 0) < 0)
        return failed("KVM_CREATE_IRQCHIP");

    int no_apic = ioctl(plain, KVM_CREATE_VCPU, 0);
    int software_disabled = ioctl(chips, KVM_CREATE_VCPU, 0);
    int hardware_disabled = ioctl(chips, KVM_CREATE_VCPU, 1);
    if (no_apic < 0 || software_disabled < 0 || hardware_disabled < 0)
        return failed("KVM_CREATE_VCPU");

    struct kvm_sregs sregs;
    if (ioctl(hardware_disabled, KVM_GET_SREGS, &sregs) < 0)
        return failed("KVM_GET_SREGS");
    sregs.apic_base &= ~APIC_BASE_ENABLE;
    if (ioctl(hardware_disabled, KVM_SET_SREGS, &sregs) < 0)
        return failed("KVM_SET_SREGS");
    return 0;
}

int main(void)
{
    int ready[2];
    if (pipe(ready) < 0)
        return failed("pipe");

    /* The child opens the VMs itself: KVM ties a VM to the address space that made it. */
    pid_t child = fork();
    if (child < 0)
        return failed("fork");
    if (child == 0) {
        if (open_vms() != 0 || write(ready[1], "", 1) != 1)
            return 1;
        close(ready[0]);
        close(ready[1]);
        for (;;)
            pause();
    }

    char byte;
    close(ready[1]);
    return read(ready[0], &byte, 1) == 1 ? 0 : 1;
}
