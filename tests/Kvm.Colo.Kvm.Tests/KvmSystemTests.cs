using System.Runtime.InteropServices;
using Kvm.Colo.Native;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.Kvm.Tests;

public sealed class KvmSystemTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("colo-kvm-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Open_SaysWhatToDo_WhenThePathDoesNotExist()
    {
        string path = Path.Combine(_folder.FullName, "kvm");

        AssertRefused(path, $"{path} does not exist: this host has no KVM",
            "enable virtualization in the firmware and load kvm_intel or kvm_amd, or use the emulated host: scripts/testbed run -- COMMAND");
    }

    [Fact]
    public void Open_SaysWhatToDo_WhenTheFileIsNotKvm()
    {
        string path = Path.Combine(_folder.FullName, "file");
        File.WriteAllText(path, "not a device");

        AssertRefused(path, $"{path} is not a KVM device", "load the kernel's kvm module and use its device node");
        AssertRefused("/dev/null", "/dev/null is not a KVM device", "load the kernel's kvm module and use its device node");
    }

    [Fact]
    public void Open_SaysWhatToDo_WhenThePathIsAFolder() =>
        AssertRefused(_folder.FullName, $"{_folder.FullName}: open: Is a directory", "load kvm_intel or kvm_amd");

    [Fact]
    public void Open_SaysWhatToDo_WhenAccessIsDenied()
    {
        string path = Path.Combine(_folder.FullName, "denied");
        File.WriteAllText(path, "");
        File.SetUnixFileMode(path, UnixFileMode.None);
        File.SetUnixFileMode(_folder.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherExecute);

        // Root may open anything; a thread with another file-system user, which is a property of the thread, may not.
        TestThread.Start("stranger", () =>
        {
            const uint Nobody = 65534;
            _ = setfsuid(Nobody);
            AssertRefused(path, $"{path}: permission denied", "join the group kvm: sudo usermod -aG kvm $USER, then log in again");
        }).Join(TinyVm.Deadline);
    }

    [KvmFact]
    [Trait("Category", "RequiresKvm")]
    public void Open_FindsWhatAVmNeeds()
    {
        using KvmSystem system = KvmSystem.Open();

        Assert.True(system.VcpuMapBytes >= 4096);
        Assert.True(system.Check(KvmConstants.KVM_CAP_USER_MEMORY) > 0);
        Assert.True(system.Check(999_999) <= 0);
        Assert.NotEqual(system.IsSoftwareKvm, File.ReadAllText("/proc/cpuinfo").Split('\n')
            .First(line => line.StartsWith("flags", StringComparison.Ordinal)).Split(' ').Any(flag => flag is "vmx" or "svm"));
        Assert.Contains(0x10u, system.GetMsrIndexes());
        Assert.Contains(0x6E0u, system.GetMsrIndexes());
        Assert.Contains(system.GetSupportedCpuid().Entries.ToArray(), entry => entry.function == 1);
    }

    [KvmFact]
    [Trait("Category", "RequiresKvm")]
    public void CreateVm_MayBeRepeated()
    {
        using KvmSystem system = KvmSystem.Open();
        for (int i = 0; i < 10; i++)
        {
            using KvmVm vm = system.CreateVm();
            vm.CreateInterruptChips();
            using KvmVcpu vcpu = vm.CreateVcpu(0);
            Assert.True(vm.XsaveBytes >= 4096);
            Assert.Equal(Errno.EEXIST, Assert.Throws<KvmException>(() => vm.CreateVcpu(0)).Errno);
        }
    }

    [KvmFact]
    [Trait("Category", "RequiresKvm")]
    public void Refusals_NameTheCallAndTheReason()
    {
        using KvmSystem system = KvmSystem.Open();
        using KvmVm vm = system.CreateVm();

        KvmException exception = Assert.Throws<KvmException>(() => vm.SetInterruptLine(1, true));

        Assert.StartsWith("KVM_IRQ_LINE: ", exception.Message, StringComparison.Ordinal);
        Assert.Equal("KVM_IRQ_LINE", exception.Call);
        Assert.NotEqual(Errno.None, exception.Errno);
    }

    private static void AssertRefused(string path, string problem, string remedy)
    {
        KvmUnavailableException exception = Assert.Throws<KvmUnavailableException>(() => KvmSystem.Open(path));
        Assert.Equal($"{problem} ({remedy})", exception.Message);
        Assert.Equal((problem, remedy), (exception.Problem, exception.Remedy));
        Assert.DoesNotContain('\n', exception.Message);
    }

    [DllImport("libc")]
    private static extern int setfsuid(uint user);
}
