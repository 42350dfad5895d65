using Kvm.Colo.Devices.Virtio.Balloon;
using Kvm.Colo.Machine;
using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Client;
using Kvm.Colo.Qmp.Commands;
using Kvm.Colo.Qmp.Schema;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.SystemTests;

/// <summary>The monitor in front of real machines.</summary>
[Trait("Category", "RequiresKvm")]
public class QmpMachineTests
{
    [KvmFact]
    public void EventsComeBeforeTheReply_OnEveryMonitor()
    {
        using RunStateVm vm = new();
        using QmpClient other = vm.Connect();
        foreach ((string command, string heard) in ((string, string)[])
            [("cont", "RESUME"), ("stop", "STOP"), ("system_reset", "RESET False host-qmp-system-reset"), ("quit", "SHUTDOWN False host-qmp-quit")])
        {
            vm.Client.Execute(command);
            Assert.Equal([heard], RunStateVm.Take(vm.Client));
            Assert.Equal(heard.Split(' ')[0], other.WaitForEvent(heard.Split(' ')[0]).Name);
        }
    }

    [KvmFact]
    public void EveryQueryAndEveryInfo_Answers()
    {
        using RunStateVm vm = new(adjust: static config => config with { Balloon = new VirtioBalloonConfig(), HasGenerationId = true });
        vm.Client.Execute("cont");
        int asked = 0;
        foreach (QmpCommand command in QmpSchemas.Product.Commands.Where(static each => each.Name.StartsWith("query-", StringComparison.Ordinal)))
        {
            bool isUnsupported = (command.Features & QmpFeatures.Unsupported) != 0;
            string error = command.Arguments.Any(static argument => !argument.IsOptional) ? "" : vm.Try(command.Name);
            Assert.True(error == (isUnsupported && error.Length > 0 ? QmpErrors.Unsupported().Message : ""), $"{command.Name}: {error}");
            asked += isUnsupported ? 0 : 1;
        }

        Assert.True(asked > 20);
        foreach ((string topic, string part) in ((string, string)[])
            [("status", "VM status: running"), ("migrate", ""), ("cpus", "* CPU #0: thread_id="), ("registers", "CPU#0"), ("colo", "mode: none")])
        {
            string text = vm.Client.Execute("human-monitor-command", $$"""{"command-line": "info {{topic}}"}""").GetString()!;
            Assert.Contains(part, text, StringComparison.Ordinal);
        }

        Assert.Equal("x86_64", vm.Ask("query-target").GetProperty("arch").GetString());
        Assert.Equal(4 << 20, vm.Ask("query-memory-size-summary").GetProperty("base-memory").GetInt64());
        Assert.True(vm.Ask("query-cpus-fast")[0].GetProperty("thread-id").GetInt64() > 0);
    }

    [KvmFact]
    public void InColo_MigrationCommandsAreRefused_AndThePairLivesOn()
    {
        using RunStateVm primary = new();
        using RunStateVm secondary = new(incoming: true);
        string folder = secondary.Folder;
        foreach (RunStateVm vm in (RunStateVm[])[primary, secondary])
        {
            vm.Client.Execute("migrate-set-capabilities", """{"capabilities": [{"capability": "x-colo", "state": true}, {"capability": "events", "state": true}]}""");
            vm.Client.Execute("migrate-set-parameters", """{"x-checkpoint-delay": 1}""");
        }

        secondary.Client.Execute("migrate-incoming", $$"""{"uri": "unix:{{folder}}/link"}""");
        primary.Client.Execute("cont");
        primary.Client.Execute("migrate", $$"""{"uri": "unix:{{folder}}/link"}""");
        primary.Client.WaitForEvent("__org.colo-vm_COLO_ENTERED");
        secondary.Client.WaitForEvent("__org.colo-vm_COLO_ENTERED");
        const string inProgress = "There's a migration process in progress";
        Assert.Equal(inProgress, primary.Try("migrate", $$"""{"uri": "unix:{{folder}}/other"}"""));
        Assert.Equal(inProgress, primary.Try("migrate-set-capabilities", """{"capabilities": [{"capability": "x-colo", "state": false}]}"""));
        Assert.Equal(inProgress, secondary.Try("migrate-set-capabilities", """{"capabilities": [{"capability": "x-colo", "state": false}]}"""));
        Assert.Equal("COLO is running: end it with x-colo-lost-heartbeat", primary.Try("migrate_cancel"));
        Assert.Equal("", secondary.Try("migrate_cancel"));
        Assert.Equal("", primary.Try("stop"));
        Assert.Equal("", primary.Try("system_reset"));
        Assert.Equal("", primary.Try("cont"));
        Assert.Equal("primary", primary.Client.Execute("query-colo-status").GetProperty("mode").GetString());
        secondary.Client.WaitForEvent("RESET");
        Assert.Equal("", primary.Try("quit"));
        QmpClientEvent exit = secondary.Client.WaitForEvent("COLO_EXIT");
        Assert.Equal("request", exit.Data.GetProperty("reason").GetString());
        Assert.Equal("", secondary.Try("x-colo-lost-heartbeat"));
        secondary.Client.WaitForEvent("MIGRATION");
        Assert.Equal("running", secondary.Status);
        Assert.Equal(RunState.Running, secondary.Machine.State);
    }
}
