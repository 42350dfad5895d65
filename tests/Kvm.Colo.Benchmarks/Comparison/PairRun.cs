using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Kvm.Colo.Qmp;
using Kvm.Colo.Qmp.Client;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>
/// One contestant in one cell: starts both sides, protects the guest with the same QMP commands for all, lets it run in, measures a
/// window, and kills the primary where the cell asks for it.
/// </summary>
internal sealed class PairRun : IDisposable
{
    private static readonly TimeSpan s_stepDeadline = TimeSpan.FromSeconds(60);
    // What a checkpoint costs in the long run is measured, and a just-in-time compiler is done with a method only after some tens of calls:
    // first some seconds of checkpoints as fast as they come, the same for all, then the cell's own pace.
    private static readonly TimeSpan s_runIn = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan s_settle = TimeSpan.FromSeconds(2);
    private const int RunInDelayMs = 1;

    private readonly Contestant _contestant;
    private readonly Cell _cell;
    private readonly RunRecord _record;
    private readonly string _folder;
    private readonly int _port;
    private readonly VmmProcess _secondary;
    private readonly VmmProcess _primary;

    private PairRun(Tools tools, Contestant contestant, Cell cell, RunRecord record)
    {
        _contestant = contestant;
        _cell = cell;
        _record = record;
        // On tmpfs: a trace line that waits for a disk would be counted as a pause.
        _folder = Directory.CreateDirectory(Path.Combine("/dev/shm", $"colo-bench-{Guid.NewGuid():N}")).FullName;
        _port = FreePort();
        string link = Link();
        _secondary = CommandLines.Start(tools, contestant, cell, new VmmFiles(_folder, "secondary"), link);
        try
        {
            _primary = CommandLines.Start(tools, contestant, cell, new VmmFiles(_folder, "primary"), incoming: null);
        }
        catch
        {
            _secondary.Dispose();
            throw;
        }
    }

    /// <summary>Never throws for what a VMM does: the record then says what failed.</summary>
    public static RunRecord Measure(Tools tools, Contestant contestant, Cell cell, int round, double busyShare)
    {
        RunRecord record = new() { Contestant = contestant.Label, Cell = cell.Name, Round = round, BusyShare = busyShare };
        PairRun? run = null;
        try
        {
            run = new PairRun(tools, contestant, cell, record);
            run.Protect();
            run.RunIn();
            run.MeasureWindow();
            if (cell.KillsPrimary)
                run.KillPrimary();
        }
        catch (Exception e) when (e is TimeoutException or QmpCommandException or QmpConnectionException or InvalidOperationException or IOException)
        {
            record.Failure = $"{e.Message} (primary: {run?._primary.Messages}; secondary: {run?._secondary.Messages})";
        }
        finally
        {
            run?.Dispose();
        }

        return record;
    }

    public void Dispose()
    {
        _primary.Dispose();
        _secondary.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static int FreePort()
    {
        using TcpListener probe = new(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private static Func<QmpClientEvent, bool> Migration(string status) =>
        item => item.Name == "MIGRATION" && item.Data.GetProperty("status").ValueEquals(status);

    private string Link() => _contestant == Contestant.QemuUnix
        ? $"unix:{Path.Combine(_folder, "link")}"
        : string.Create(CultureInfo.InvariantCulture, $"tcp:127.0.0.1:{_port}");

    private void Protect()
    {
        const string Capabilities = """{"capabilities":[{"capability":"x-colo","state":true},{"capability":"events","state":true}]}""";
        foreach (VmmProcess side in (VmmProcess[])[_secondary, _primary])
        {
            side.Connect();
            side.Qmp.Execute("migrate-set-capabilities", Capabilities);
        }

        _primary.Qmp.Execute("migrate-set-parameters", $$"""{"x-checkpoint-delay":{{RunInDelayMs}},"max-bandwidth":17179869184}""");
        HostClock.Until(() => _primary.Serial.FirstByteUs() is not null, s_stepDeadline, "the guest's first line");
        double began = HostClock.NowUs;
        _primary.Qmp.Execute("migrate", $$"""{"uri":"{{Link()}}"}""");
        _record.SyncMs = (_primary.WaitForEvent(Migration("colo"), s_stepDeadline, "status colo") - began) / 1000;
        if (!_cell.KillsPrimary)
            return;
        // QEMU says colo before its secondary has made room for the cache: protected is who has a checkpoint.
        double? loaded = null;
        HostClock.Until(() => (loaded = TraceFile.FirstLoadedUs(_primary.Files.Trace)) is not null, s_stepDeadline, "the first checkpoint");
        _record.ProtectedMs = (loaded!.Value - began) / 1000;
    }

    private void RunIn()
    {
        HostClock.Pass(s_runIn);
        _primary.Qmp.Execute("migrate-set-parameters", $$"""{"x-checkpoint-delay":{{_cell.DelayMs}}}""");
        HostClock.Pass(s_settle);
    }

    private void MeasureWindow()
    {
        _record.StatisticsBefore = Statistics();
        long? bytes = LinkBytes();
        Dictionary<int, ThreadCpu> primaryCpu = ProcessFigures.Cpu(_primary.Id);
        Dictionary<int, ThreadCpu> secondaryCpu = ProcessFigures.Cpu(_secondary.Id);
        double from = HostClock.NowUs;
        HostClock.Pass(TimeSpan.FromSeconds(_cell.WindowSeconds));
        double to = HostClock.NowUs;
        _record.PrimaryCpu = ProcessFigures.Used(primaryCpu, ProcessFigures.Cpu(_primary.Id));
        _record.SecondaryCpu = ProcessFigures.Used(secondaryCpu, ProcessFigures.Cpu(_secondary.Id));
        _record.LinkBytes = LinkBytes() - bytes;
        _record.StatisticsAfter = Statistics();
        _record.PrimaryMemory = ProcessFigures.Memory(_primary.Id);
        _record.SecondaryMemory = ProcessFigures.Memory(_secondary.Id);
        _record.WindowSeconds = (to - from) / 1e6;

        // The traces of the window's end may still be in a buffer of the VMM.
        HostClock.Pass(TimeSpan.FromMilliseconds(300));
        List<(double StartUs, double LengthUs)> pauses = TraceFile.Pauses(_primary.Files.Trace, from, to);
        _record.PausesUs = [.. pauses.Select(static p => p.LengthUs)];
        GuestReport guest = GuestReport.Read(_primary.Serial.Lines(from, to));
        _record.GuestGapsNs = guest.GapsNs;
        _record.GuestMaxGapUs = guest.LargestUs;
        _record.GuestPauses = pauses.Count(p => p.StartUs >= guest.FromUs && p.StartUs <= guest.ToUs);
        if (pauses.Count == 0)
            throw new InvalidOperationException("there was no checkpoint in the window");
    }

    private void KillPrimary()
    {
        double killed = HostClock.NowUs;
        _primary.Kill();
        double decided = HostClock.NowUs;
        _secondary.Qmp.Execute("x-colo-lost-heartbeat");
        Func<QmpClientEvent, bool> isRunning = _contestant.IsQemu ? static item => item.Name == "RESUME" : Migration("completed");
        double running = _secondary.WaitForEvent(
            item => HostClock.Of(item.Time) >= decided && isRunning(item), s_stepDeadline, "the secondary on its own");
        HostClock.Until(() => _secondary.Serial.FirstByteUs(running) is not null, s_stepDeadline, "output of the guest after the takeover");
        double output = _secondary.Serial.FirstByteUs(running)!.Value;
        _record.Takeover = new TakeoverFigures((running - decided) / 1000, (running - killed) / 1000, (output - killed) / 1000);
    }

    private JsonElement? Statistics() => _contestant == Contestant.Colo ? _primary.Qmp.Execute("query-colo-statistics") : null;

    private long? LinkBytes() => _contestant == Contestant.QemuUnix ? null : ProcessFigures.LinkBytes(_port);
}
