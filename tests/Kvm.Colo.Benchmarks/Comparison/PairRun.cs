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
internal sealed partial class PairRun : IDisposable
{
    private const int RunInDelayMs = 1;
    private const int HeartbeatTimeoutMs = 40;
    private const string Capabilities = """{"capabilities":[{"capability":"x-colo","state":true},{"capability":"events","state":true}]}""";

    private readonly Tools _tools;
    private readonly Subject _subject;
    private readonly Cell _cell;
    private readonly Pace _pace;
    private readonly RunRecord _record;
    private readonly string _folder;
    private readonly int _port = FreePort();
    private readonly EchoNetwork? _network;
    private readonly VmmProcess _secondary;
    private readonly VmmProcess _primary;

    private PairRun(Tools tools, Subject subject, Cell cell, Pace pace, RunRecord record, EchoNetwork? network)
    {
        _tools = tools;
        _subject = subject;
        _cell = cell;
        _pace = pace;
        _record = record;
        // On tmpfs: a trace line that waits for a disk would be counted as a pause.
        _folder = Directory.CreateDirectory(Path.Combine("/dev/shm", $"colo-bench-{Guid.NewGuid():N}")).FullName;
        _network = network;
        _secondary = CommandLines.Start(tools, subject, cell, new VmmFiles(_folder, "secondary"), Link("link", _port));
        try
        {
            _primary = CommandLines.Start(tools, subject, cell, new VmmFiles(_folder, "primary"), incoming: null);
        }
        catch
        {
            _secondary.Dispose();
            throw;
        }
    }

    /// <summary>Never throws for what a VMM does: the record then says what failed.</summary>
    public static RunRecord Measure(Tools tools, Subject subject, Cell cell, Pace pace, int round, double busyShare)
    {
        RunRecord record = new() { Contestant = subject.Label, Cell = cell.Name, Round = round, BusyShare = busyShare };
        EchoNetwork? network = null;
        PairRun? run = null;
        try
        {
            network = cell.IsEcho ? new EchoNetwork(tools) : null;
            run = new PairRun(tools, subject, cell, pace, record, network);
            run.Protect();
            run.RunIn();
            run.MeasureWindow();
            run.End();
        }
        catch (Exception e) when (IsOfTheVmm(e))
        {
            record.Failure = $"{e.Message} (primary: {run?._primary.Messages}; secondary: {run?._secondary.Messages})";
        }
        finally
        {
            run?.Dispose();
            network?.Dispose();
        }

        return record;
    }

    public void Dispose()
    {
        _primary.Dispose();
        _secondary.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static bool IsOfTheVmm(Exception e) =>
        e is TimeoutException or QmpCommandException or QmpConnectionException or InvalidOperationException or IOException;

    private static int FreePort()
    {
        using TcpListener probe = new(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private static Func<QmpClientEvent, bool> Migration(string status) =>
        item => item.Name == "MIGRATION" && item.Data.GetProperty("status").ValueEquals(status);

    private string Link(string name, int port) => _subject.Contestant == Contestant.QemuUnix
        ? $"unix:{Path.Combine(_folder, name)}"
        : string.Create(CultureInfo.InvariantCulture, $"tcp:127.0.0.1:{port}");

    private void Protect()
    {
        Prepare(_secondary);
        Prepare(_primary);
        HostClock.Until(() => _primary.Serial.FirstByteUs() is not null, _pace.StepDeadline, "the guest's first line");
        if (_cell.IsLinux)
            HostClock.Until(() => HasBegun(_primary), _pace.StepDeadline, "the guest's load");
        if (_cell.MeasuresSpeed)
            _record.SoloPagesPerSecond = WatchAlone();
        if (_network is not null)
            _record.SoloEchoesUs = _network.Watch(_pace.Solo);
        double began = HostClock.NowUs;
        _primary.Qmp.Execute("migrate", $$"""{"uri":"{{Link("link", _port)}}"}""");
        _record.SyncMs = (_primary.WaitForEvent(Migration("colo"), _pace.StepDeadline, "status colo") - began) / 1000;
        if (_cell.End != CellEnd.Takeover)
            return;
        double loaded = FirstLoaded(_primary, began);
        _record.ProtectedMs = (loaded - began) / 1000;
        _record.LongestStopUs = TraceFile.LongestStopUs(_primary.Files.Trace, began, loaded);
    }

    // The same for all, on both sides, before there is a session.
    private void Prepare(VmmProcess side)
    {
        side.Connect(_pace.StepDeadline);
        side.Qmp.Execute("migrate-set-capabilities", Capabilities);
        string more = string.Concat(_subject.Parameters.Select(static p => $",\"{p.Name}\":{p.Json}"));
        side.Qmp.Execute("migrate-set-parameters", $$"""{"x-checkpoint-delay":{{RunInDelayMs}},"max-bandwidth":17179869184{{more}}}""");
    }

    // QEMU says colo before its secondary has made room for the cache: protected is who has a checkpoint.
    private double FirstLoaded(VmmProcess primary, double fromUs)
    {
        double? loaded = null;
        HostClock.Until(() => (loaded = TraceFile.FirstLoadedUs(primary.Files.Trace, fromUs)) is not null, _pace.StepDeadline, "the first checkpoint");
        return loaded!.Value;
    }

    // The first report: by then the kernel has done what it does behind the start of its first program.
    private static bool HasBegun(VmmProcess side) =>
        side.Serial.Lines(0, double.MaxValue).Exists(static line => line.Text.StartsWith("dirty gaps-ns", StringComparison.Ordinal));

    private double WatchAlone()
    {
        double from = HostClock.NowUs;
        HostClock.Pass(_pace.Solo);
        return GuestSpeed.PagesPerSecond(_primary.Serial.Lines(from, HostClock.NowUs));
    }

    private void RunIn()
    {
        HostClock.Pass(_pace.RunIn);
        _primary.Qmp.Execute("migrate-set-parameters", $$"""{"x-checkpoint-delay":{{_cell.DelayMs}}}""");
        if (_cell.End == CellEnd.Silence && !_subject.IsQemu)
        {
            foreach (VmmProcess side in (VmmProcess[])[_primary, _secondary])
                side.Qmp.Execute("migrate-set-parameters", $$"""{"__org.colo-vm_heartbeat-timeout":{{HeartbeatTimeoutMs}}}""");
        }

        HostClock.Pass(_pace.Settle);
    }

    private void MeasureWindow()
    {
        _record.StatisticsBefore = Statistics();
        long? bytes = LinkBytes();
        Dictionary<int, ThreadCpu> primaryCpu = ProcessFigures.Cpu(_primary.Id);
        Dictionary<int, ThreadCpu> secondaryCpu = ProcessFigures.Cpu(_secondary.Id);
        double from = HostClock.NowUs;
        TimeSpan window = TimeSpan.FromSeconds(_cell.WindowSeconds);
        if (_network is not null)
            _record.EchoesUs = _network.Watch(window);
        else
            HostClock.Pass(window);
        double to = HostClock.NowUs;
        _record.PrimaryCpu = ProcessFigures.Used(primaryCpu, ProcessFigures.Cpu(_primary.Id));
        _record.SecondaryCpu = ProcessFigures.Used(secondaryCpu, ProcessFigures.Cpu(_secondary.Id));
        _record.LinkBytes = LinkBytes() - bytes;
        _record.StatisticsAfter = Statistics();
        _record.PrimaryMemory = ProcessFigures.Memory(_primary.Id);
        _record.SecondaryMemory = ProcessFigures.Memory(_secondary.Id);
        _record.WindowSeconds = (to - from) / 1e6;

        // The traces of the window's end may still be in a buffer of the VMM.
        HostClock.Pass(TimeSpan.FromMilliseconds(500));
        List<(double StartUs, double LengthUs)> pauses = TraceFile.Pauses(_primary.Files.Trace, from, to);
        _record.PausesUs = [.. pauses.Select(static p => p.LengthUs)];
        List<(double TimeUs, string Text)> said = _primary.Serial.Lines(from, to);
        _record.PagesPerSecond = GuestSpeed.PagesPerSecond(said);
        GuestReport guest = GuestReport.Read(said);
        _record.GuestGapsNs = guest.GapsNs;
        _record.GuestMaxGapUs = guest.LargestUs;
        _record.GuestPauses = pauses.Count(p => p.StartUs >= guest.FromUs && p.StartUs <= guest.ToUs);
        if (pauses.Count == 0)
            throw new InvalidOperationException("there was no checkpoint in the window");
        if (_cell.Reports && GuestSpeed.Fault(said, _record.WindowSeconds) is { } fault)
            throw new InvalidOperationException(fault);
    }

    private JsonElement? Statistics() => _subject.Contestant == Contestant.Colo ? _primary.Qmp.Execute("query-colo-statistics") : null;

    private long? LinkBytes() => _subject.Contestant == Contestant.QemuUnix ? null : ProcessFigures.LinkBytes(_port);
}
