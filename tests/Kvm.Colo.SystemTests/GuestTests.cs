using Kvm.Colo.Machine;
using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.SystemTests;

[Trait("Category", "RequiresKvm")]
public class GuestTests
{
    [KvmFact]
    public void Hello_PrintsItsCommandLineAndExits()
    {
        using TestMachine vm = new("hello.elf", "exit=5 word");
        vm.Machine.Start();
        Assert.Equal(11, vm.WaitForEnd().ExitStatus);
        Assert.Contains("hello from a tiny guest, loaded by pvh", vm.Console.Text, StringComparison.Ordinal);
        Assert.Contains("hello cmdline: exit=5 word", vm.Console.Text, StringComparison.Ordinal);
        Assert.Contains("SHUTDOWN True GuestShutdown", vm.Recorder.Events);
    }
}
