using Kvm.Colo.Qmp.Client;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>The death of the primary, and what comes after it.</summary>
internal sealed partial class PairRun
{
    private static readonly TimeSpan s_detectionDeadline = TimeSpan.FromSeconds(5);

    /// <summary>
    /// What the operator of a survivor has to say to it so that it is protected again, each command with its arguments; its settings are
    /// those it was started with.
    /// </summary>
    private static (string Command, string Arguments)[] ProtectAgainCommands(string link) => [("migrate", $$"""{"uri":"{{link}}"}""")];

    private void End()
    {
        switch (_cell.End)
        {
            case CellEnd.Takeover:
                KillPrimary();
                TryProtectAgain();
                break;
            case CellEnd.Death:
                DetectLoss(_primary.Kill);
                break;
            case CellEnd.Silence:
                DetectLoss(_primary.Freeze);
                break;
        }
    }

    // Who does not notice has no figure.
    private void DetectLoss(Action lose)
    {
        double lost = HostClock.NowUs;
        lose();
        try
        {
            double noticed = _secondary.WaitForEvent(static item => item.Name == "COLO_EXIT", s_detectionDeadline, "COLO_EXIT");
            _record.DetectedMs = (noticed - lost) / 1000;
        }
        catch (TimeoutException)
        {
            _record.DetectedMs = double.NaN;
        }
    }

    private void KillPrimary()
    {
        double killed = HostClock.NowUs;
        _primary.Kill();
        double decided = HostClock.NowUs;
        _secondary.Qmp.Execute("x-colo-lost-heartbeat");
        Func<QmpClientEvent, bool> isRunning = _subject.IsQemu ? static item => item.Name == "RESUME" : Migration("completed");
        double running = _secondary.WaitForEvent(
            item => HostClock.Of(item.Time) >= decided && isRunning(item), _pace.StepDeadline, "the secondary on its own");
        HostClock.Until(() => _secondary.Serial.FirstByteUs(running) is not null, _pace.StepDeadline, "output of the guest after the takeover");
        double output = _secondary.Serial.FirstByteUs(running)!.Value;
        _record.Takeover = new TakeoverFigures((running - decided) / 1000, (running - killed) / 1000, (output - killed) / 1000);
    }

    // A survivor that cannot be protected again is a result too: the takeover's figures stand.
    private void TryProtectAgain()
    {
        try
        {
            ProtectAgain();
        }
        catch (Exception e) when (IsOfTheVmm(e))
        {
            _record.AgainFailure = $"{e.Message} (survivor: {_secondary.Messages})";
        }
    }

    private void ProtectAgain()
    {
        string link = Link("again", FreePort());
        using VmmProcess next = CommandLines.Start(_tools, _subject, _cell, new VmmFiles(_folder, "next"), link);
        Prepare(next);
        (string Command, string Arguments)[] commands = ProtectAgainCommands(link);
        double began = HostClock.NowUs;
        foreach ((string command, string arguments) in commands)
            _secondary.Qmp.Execute(command, arguments);
        double loaded = FirstLoaded(_secondary, began);
        _record.Again = new ProtectedAgainFigures(
            commands.Length, (loaded - began) / 1000, TraceFile.LongestStopUs(_secondary.Files.Trace, began, loaded));
    }
}
