using System.Text.Json;
using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.SystemTests;

/// <summary>The program's commands for a person and for scripts, in front of a real machine.</summary>
[Trait("Category", "RequiresKvm")]
public class TerminalTests
{
    [KvmFact]
    public void Qmp_OneCommand_PrintsItsAnswer_AndTheStatusTellsSuccess()
    {
        using RunStateVm vm = new();
        string monitor = vm.Address.ToString();
        Assert.Equal((0, "{\"running\":false,\"status\":\"prelaunch\"}\n", ""), TerminalProgram.Run(["qmp", "--qmp", monitor, "--json", "query-status"]));
        Assert.Equal((0, "{}\n", ""), TerminalProgram.Run(["qmp", "--qmp", monitor, "set-action", "shutdown=pause"]));
        Assert.True(vm.Machine.NoShutdown);
        (int status, string output, string error) = TerminalProgram.Run(["qmp", "--qmp", monitor, "device_del", "{\"id\": \"nope\"}"]);
        Assert.Equal((1, "", "colo-vm: Device 'nope' not found\n"), (status, output, error));
        (status, output, _) = TerminalProgram.Run(["qmp", "--qmp", monitor, "--wait", "RESUME", "--timeout", "20", "cont"]);
        Assert.Equal(0, status);
        Assert.Equal("{}\n{\"timestamp\":", output[..16]);
    }

    [KvmFact]
    public void Qmp_FromAPipe_RunsEveryLine_AndTellsWhetherOneFailed()
    {
        using RunStateVm vm = new();
        (int status, string output, string error) = TerminalProgram.Run(
            ["qmp", "--qmp", vm.Address.ToString(), "--json"], "# a comment\ncont\nnosuch\nquery-status\n");
        Assert.Equal(1, status);
        Assert.Equal("{}\n{\"running\":true,\"status\":\"running\"}\n", output);
        Assert.Equal("colo-vm: The command nosuch has not been found\n", error);
    }

    [KvmFact]
    public void Qmp_OnATerminal_CompletesRemembersAndShowsEvents()
    {
        using RunStateVm vm = new();
        string[] command = ["qmp", "--qmp", vm.Address.ToString()];
        string first = TerminalProgram.OnTerminal(command, vm.Folder,
            ("(qmp) ", "query-na\t"), ("query-name ", "\r"), ("{}", "cont\r"), ("] RESUME", "stop\r"), ("] STOP", "exit\r"));
        Assert.Contains("Tab completes", first, StringComparison.Ordinal);
        string second = TerminalProgram.OnTerminal(command, vm.Folder,
            ("(qmp) ", "\u001b[A\u001b[A\u001b[A"), ("cont", "\r"), ("] RESUME", "\u0004"));
        Assert.DoesNotContain("STOP", second, StringComparison.Ordinal);
        Assert.Equal("running", vm.Status);
        Assert.Equal(["query-name ", "cont", "stop", "exit", "cont"], File.ReadAllLines(Path.Combine(vm.Folder, "colo-vm", "qmp-history")));
    }

    [KvmFact]
    public void StatusAndTop_ShowAPair_AsTextAndAsJson()
    {
        using RunStateVm first = new();
        using RunStateVm second = new(incoming: true);
        string[] monitors = ["--qmp", first.Address.ToString(), "--qmp", second.Address.ToString()];
        (int status, string output, string error) = TerminalProgram.Run(["status", .. monitors]);
        Assert.Equal((0, ""), (status, error));
        Assert.Contains($"monitor      {first.Address}\nname         -\nguest        prelaunch\n", output, StringComparison.Ordinal);
        Assert.Contains($"monitor      {second.Address}\nname         -\nguest        inmigrate\n", output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', output);

        (status, output, error) = TerminalProgram.Run(["status", "--json", "--qmp", first.Address.ToString()]);
        Assert.Equal((0, ""), (status, error));
        Assert.Equal("prelaunch", JsonDocument.Parse(output).RootElement.GetProperty("status").GetString());

        (status, output, error) = TerminalProgram.Run(["top", .. monitors, "--json", "--count", "2", "--interval", "50"]);
        Assert.Equal((0, ""), (status, error));
        JsonElement[] looks = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(["prelaunch", "inmigrate", "prelaunch", "inmigrate"], looks.Select(static look => look.GetProperty("status").GetString()));
        Assert.Equal(JsonValueKind.Null, looks[0].GetProperty("checkpoints-per-second").ValueKind);
        Assert.Equal(0, looks[2].GetProperty("checkpoints-per-second").GetDouble());
        Assert.Equal(first.Address.ToString(), looks[2].GetProperty("monitor").GetString());

        (status, output, _) = TerminalProgram.Run(["top", .. monitors, "--count", "1"]);
        Assert.Equal(0, status);
        Assert.Equal(2, output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.DoesNotContain('\u001b', output);
    }

    [KvmFact]
    public void Top_OnATerminal_ShowsBothSides_UntilTheyEnd()
    {
        using RunStateVm first = new();
        using RunStateVm second = new(incoming: true);
        string screen = TerminalProgram.OnTerminal(
            ["top", "--qmp", first.Address.ToString(), "--qmp", second.Address.ToString(), "--interval", "50", "--count", "3"], first.Folder);
        Assert.Contains("prelaunch", screen, StringComparison.Ordinal);
        Assert.Contains("inmigrate", screen, StringComparison.Ordinal);
    }

    [KvmFact]
    public void Top_OnATerminal_ShowsTheLastEpochsOfAPair()
    {
        using RunStateVm first = new();
        using RunStateVm second = new(incoming: true);
        string uri = $$"""{"uri": "unix:{{second.Folder}}/link"}""";
        foreach (RunStateVm vm in (RunStateVm[])[first, second])
            vm.Client.Execute("migrate-set-capabilities", """{"capabilities": [{"capability": "x-colo", "state": true}]}""");
        first.Client.Execute("migrate-set-parameters", """{"x-checkpoint-delay": 600000}""");
        second.Client.Execute("migrate-incoming", uri);
        first.Client.Execute("cont");
        first.Client.Execute("migrate", uri);
        first.Client.WaitForEvent("__org.colo-vm_COLO_ENTERED");
        first.Client.Execute("__org.colo-vm_checkpoint");
        first.WaitForEvent("__org.colo-vm_CHECKPOINT", "epoch");

        string screen = TerminalProgram.OnTerminal(["top", "--qmp", first.Address.ToString(), "--count", "1"], first.Folder);
        Assert.Matches(@"epoch[ \p{P}\p{S}]+cause[ \p{P}\p{S}]+dirty", screen);
        Assert.Matches(@"1[ \p{P}\p{S}]+request", screen);
    }

    [Theory]
    [InlineData("colo-vm sta", "status")]
    [InlineData("colo-vm qmp --qmp unix:/x query-colo-stat", "query-colo-statistics query-colo-status")]
    [InlineData("colo-vm qmp --qmp unix:/x set-action panic=e", "exit-failure")]
    [InlineData("colo-vm completion ba", "bash")]
    public void Completion_WorksInBash(string line, string offers)
    {
        // In bash "=" is a word of its own, so what stands before it is not repeated.
        (int status, string output, string error) = TerminalProgram.Bash($$"""
            source <("$0" completion bash)
            COMP_LINE='{{line}}' COMP_POINT={{line.Length}} COMP_WORDS=("$0") COMP_CWORD=0
            compopt() { :; }
            _colo_vm
            printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd' '
            """);
        Assert.Equal((0, offers + "\n", ""), (status, output, error));
    }
}
