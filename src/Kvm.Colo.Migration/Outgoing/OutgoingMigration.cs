using System.Diagnostics;
using System.Security.Cryptography;
using Kvm.Colo.Machine;
using Kvm.Colo.Memory;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Migration.Disks;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Outgoing;

/// <summary>
/// One migration away from this machine: RAM while the guest runs, a cut, device state; then either the guest has left, or, with
/// x-colo, the checkpoints of <see cref="ColoPrimary"/> begin. Runs on its own thread, named <c>migration</c>.
/// </summary>
internal sealed class OutgoingMigration : IDisposable
{
    // A COLO session begins with a cut whatever is dirty; more passes than these only delay the protection.
    private const int MaxPasses = 30;
    private const ulong ColoCutPages = 512;

    private readonly VirtualMachine _machine;
    private readonly MigrationSettings _settings;
    private readonly MigrationControl _control;
    private readonly ILink _link;
    private readonly PageStaging _staging;
    private readonly EpochCapture _capture;
    private readonly RamSectionEncoder _encoder;
    private readonly RamSender _sender;
    private readonly DiskSender? _disks;
    private readonly ChannelBuffer _blob = new();
    private readonly DeviceSectionWriter _devices;
    private readonly RamBlockTable _blocks;
    private readonly bool _colo;
    private readonly IReadOnlyList<IStateOwner> _owners;
    private ulong _dirtyPagesPerSecond;
    private long _stopBytes;
    private int _passes;

    public OutgoingMigration(VirtualMachine machine, MigrationSettings settings, MigrationControl control, ILink link)
    {
        _machine = machine;
        _settings = settings;
        _control = control;
        _link = link;
        _colo = settings.Colo;
        _blocks = new RamBlockTable(new RamBlock(MigrationConstants.RamBlockName, machine.Memory.SizeBytes));
        _encoder = new RamSectionEncoder(_blocks);
        _staging = new PageStaging(machine.Memory.PageCount);
        _capture = new EpochCapture(machine.Memory, machine.DirtyLog, _staging);
        _sender = new RamSender(link, machine.Memory, _encoder);
        _disks = _colo ? new DiskSender(machine, _sender, settings, control) : null;
        _owners = _colo ? [.. machine.StateOwners, _capture.Verification] : machine.StateOwners;
        _devices = new DeviceSectionWriter(_blob, _owners);
    }

    /// <summary>Carries the migration out. Returns when it has ended, for COLO when the session has.</summary>
    /// <exception cref="LinkException">The link failed before the guest's fate changed.</exception>
    /// <exception cref="MigrationException">It was cancelled or refused.</exception>
    public void Run()
    {
        ColoConfiguration configuration = CreateConfiguration();
        using ReturnInbox? inbox = _link is StreamLink ? null : new ReturnInbox(_link, configuration, _control.OnColoReceived);
        _control.Attach(_link, inbox?.Signal);
        try
        {
            SendHead(configuration);
            _control.SetStatus(MigrationStatus.Active);
            _machine.DirtyLog.Start();
            if (_disks is null)
            {
                SendPasses();
                CompletePlain(inbox);
                return;
            }

            if (inbox is null)
                throw new MigrationException("COLO needs a link with two directions: use tcp or unix");
            AwaitReply(inbox);
            SendDisks(_disks, configuration, inbox);
            SendPasses();
            RunColo(_disks, configuration, inbox);
        }
        catch (LinkException e) when (inbox is not null)
        {
            throw inbox.Explain(e);
        }
        finally
        {
            _link.Shutdown();
            _machine.DirtyLog.Stop();
        }
    }

    public void Dispose()
    {
        _link.Dispose();
        _disks?.Dispose();
        _capture.Dispose();
        _staging.Dispose();
        _blob.Dispose();
    }

    private ColoConfiguration CreateConfiguration() => new(
        RequestedFeatures: RequestedFeatures(),
        OfferedFeatures: OfferedFeatures(),
        SeedPart: new UInt128(RandomUInt64(), RandomUInt64()),
        PageSizeBytes: GuestPage.SizeBytes,
        RamSizeBytes: _machine.Memory.SizeBytes,
        VcpuCount: (uint)_machine.Config.Cpus);

    private ColoFeatures RequestedFeatures()
    {
        if (_disks is null)
            return ColoFeatures.None;
        ColoFeatures features = ColoFeatures.EpochDigest | ColoFeatures.Heartbeat;
        return _disks.HasWritable ? features | ColoFeatures.Disks : features;
    }

    private ColoFeatures OfferedFeatures()
    {
        ColoFeatures features = ColoFeatures.EpochDigest | ColoFeatures.Heartbeat | ColoFeatures.SerialOutputCommit | ColoFeatures.StateDelta
            | ColoFeatures.ShutdownNotice;
        if (_colo)
            features |= ColoFeatures.Disks;
        if (_settings.DeltaCachePages > 0)
            features |= ColoFeatures.Deltas;
        if (_settings.PageHashes)
            features |= ColoFeatures.PageHashes;
        if (_settings.InTime)
            features |= ColoFeatures.CutNotice;
        if (_settings.PreSend)
            features |= ColoFeatures.PreSend;
        return features;
    }

    private static ulong RandomUInt64() => BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));

    private void SendHead(ColoConfiguration configuration)
    {
        _blob.Reset();
        StreamHeader.Write(_blob);
        StreamConfigurationCodec.Write(
            _blob,
            new StreamConfiguration { MachineType = MigrationConstants.MachineType, Uuid = _machine.Config.Uuid, Colo = configuration });
        if (_colo)
            ElementCodec.WriteCommand(_blob, StreamCommand.EnableColo, []);
        ElementCodec.WriteSection(
            _blob, ElementKind.SectionStart, RamSectionEncoder.SectionId, RamSectionEncoder.SectionName, 0, RamSectionEncoder.SectionVersion);
        Span<byte> list = stackalloc byte[_encoder.BlockListBytes + RamPageWord.SizeBytes];
        int length = _encoder.WriteBlockList(list);
        length += RamSectionEncoder.WriteEndOfSection(list[length..]);
        _blob.WriteBytes(list[..length]);
        ElementCodec.WriteFooter(_blob, RamSectionEncoder.SectionId);
        _sender.Append(_blob.WrittenSpan);
        _sender.Flush();
    }

    private void SendPasses()
    {
        GuestMemory memory = _machine.Memory;
        memory.DeviceDirty.ClearAll();
        // What was never touched is zero on both sides and costs nothing. Page 0 goes in any case: it names the block for all that follow.
        _capture.Dirty.Mark(0);
        memory.AddUsedPages(_capture.Dirty);
        ulong cutPages = _colo ? ColoCutPages : PlainCutPages();
        for (int pass = 1; ; pass++)
        {
            ulong remaining = _capture.Dirty.CountSet();
            long start = Stopwatch.GetTimestamp();
            BeginPass(remaining);
            if (!_sender.SendLive(_capture.Dirty, ElementKind.SectionPart, _settings.MaxBandwidth, _control.Cancelled, ReportBatch))
                throw new MigrationException("cancelled");
            _sender.Flush();
            _capture.Harvest();
            ulong dirty = _capture.Dirty.CountSet();
            _dirtyPagesPerSecond = (ulong)(dirty / Math.Max(Stopwatch.GetElapsedTime(start).TotalSeconds, 1e-3));
            if (dirty <= cutPages || pass >= MaxPasses || dirty >= remaining)
                return; // small enough, or the guest dirties as fast as we send: then only a cut ends it
        }
    }

    private ulong PlainCutPages() =>
        (ulong)Math.Max(256, _settings.DowntimeLimit.TotalSeconds * (_settings.MaxBandwidth > 0 ? _settings.MaxBandwidth : 1L << 30) / GuestPage.SizeBytes);

    private void CompletePlain(ReturnInbox? inbox)
    {
        RunState before = _machine.State;
        _capture.Begin();
        TimeSpan pause = _machine.Cut(_capture, RunState.FinishMigrate, RunState.FinishMigrate);
        long cut = Stopwatch.GetTimestamp();
        bool complete = false;
        try
        {
            _control.SetStatus(MigrationStatus.Device);
            _stopBytes = _link.BytesSent;
            BeginPass((ulong)_staging.Count);
            SendFinalRam();
            _blob.Reset();
            _devices.Write();
            DeviceDescription.Write(_blob, new StreamConfiguration { MachineType = MigrationConstants.MachineType }, _owners);
            _link.Send(_blob.WrittenSpan);
            if (inbox is not null)
                Await(inbox, ColoMessage.VmstateLoaded, "load the guest");
            _control.OnDowntime(pause + Stopwatch.GetElapsedTime(cut));
            Report(0);
            complete = true;
        }
        finally
        {
            if (!complete)
                _control.SetStatus(MigrationStatus.Failing);
            _machine.LeaveFinishMigrate(complete ? RunState.PostMigrate : before);
        }

        _control.SetStatus(MigrationStatus.Completed);
    }

    private void SendDisks(DiskSender disks, ColoConfiguration configuration, ReturnInbox inbox)
    {
        ConfigurationReply reply = inbox.Reply!.Value;
        if ((reply.AcceptedFeatures & ColoFeatures.Disks) == 0)
            return;
        disks.Begin();
        long seed = SessionSeed.Combine(configuration.SeedPart, reply.SeedPart).PageHashSeed;
        disks.Synchronise(
            seed,
            inbox,
            () => Await(inbox, ColoMessage.PageVerdicts, "compare a disk"),
            () => Report(_machine.Memory.PageCount));
        disks.CatchUp();
    }

    private void RunColo(DiskSender disks, ColoConfiguration configuration, ReturnInbox inbox)
    {
        _capture.HashAllRam = false;
        _machine.BeginRecording(_control.OnOutputWaits, _control.RequestNetworkCheckpoint);
        try
        {
            disks.CatchUp();
            _capture.Begin();
            CutPause pause = new(_machine, _capture, disks);
            _machine.Cut(pause, RunState.FinishMigrate);
            disks.Stage();
            disks.Send(null);
            SendFinalRam();
            _blob.Reset();
            _devices.Write();
            _link.Send(_blob.WrittenSpan);
            Report(0);
            ConfigurationReply reply = inbox.Reply!.Value;
            SessionSeed seed = SessionSeed.Combine(configuration.SeedPart, reply.SeedPart);
            using ColoPrimary session = new(
                _machine, _settings, _control, _link, inbox, _capture, disks, _sender, _blocks, _owners, seed, reply.AcceptedFeatures);
            _control.SetStatus(MigrationStatus.Colo);
            session.Run();
        }
        finally
        {
            _machine.EndRecording();
        }
    }

    private void SendFinalRam()
    {
        _sender.SendStaged(_staging, ElementKind.SectionEnd);
        _sender.Flush();
    }

    private void AwaitReply(ReturnInbox inbox)
    {
        if (!WaitFor(inbox, () => inbox.Reply is not null))
            throw new MigrationException($"{_link.Description} did not answer our configuration in time: is it colo-vm?");
    }

    private void Await(ReturnInbox inbox, ColoMessage expected, string what)
    {
        ColoMessage word = default;
        if (!WaitFor(inbox, () => inbox.TryTake(out word)))
            throw new MigrationException($"{_link.Description} did not {what} in time");
        if (word != expected)
            throw new MigrationException($"{_link.Description} answered {word.Name()}, expected {expected.Name()}");
    }

    private bool WaitFor(ReturnInbox inbox, Func<bool> condition)
    {
        long end = Environment.TickCount64 + (long)MigrationConstants.StepDeadline.TotalMilliseconds;
        while (true)
        {
            inbox.Signal.Reset();
            if (condition())
                return true;
            if (inbox.Failure is { } failure)
                throw failure;
            if (_control.Cancelled.WaitOne(0))
                throw new MigrationException("cancelled");
            long left = end - Environment.TickCount64;
            if (left <= 0 || !inbox.Signal.Wait(TimeSpan.FromMilliseconds(left)))
                return condition();
        }
    }

    private void BeginPass(ulong remaining)
    {
        _passes++;
        Report(remaining);
        _control.OnPass(_passes);
    }

    private void ReportBatch() => Report(_capture.Dirty.CountSet());

    private void Report(ulong remaining)
    {
        long sent = _link.BytesSent;
        _control.OnProgress(
            new MigrationProgress(_machine.Memory.SizeBytes, (ulong)sent, remaining, _sender.NormalPages, _sender.ZeroPages, _passes)
            {
                DowntimeBytes = _stopBytes > 0 ? (ulong)(sent - _stopBytes) : 0,
                DirtyPagesPerSecond = _dirtyPagesPerSecond,
                DiskTotalBytes = _disks?.TotalBytes ?? 0,
                DiskRemainingBytes = _disks?.RemainingBytes ?? 0,
            });
    }
}
