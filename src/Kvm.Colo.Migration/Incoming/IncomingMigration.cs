using System.Security.Cryptography;
using Kvm.Colo.Machine;
using Kvm.Colo.Machine.Control;
using Kvm.Colo.Memory;
using Kvm.Colo.Migration.Colo;
using Kvm.Colo.Migration.Disks;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Incoming;

/// <summary>
/// A guest arriving over a link: configuration, RAM into the committed image, device state; then it runs here, or, if the primary
/// said so, <see cref="ColoSecondary"/> takes its checkpoints. Runs on its own thread. Nothing the peer sends is trusted.
/// </summary>
internal sealed class IncomingMigration : IDisposable, IPauseWork
{
    private readonly VirtualMachine _machine;
    private readonly MigrationSettings _settings;
    private readonly MigrationControl _control;
    private readonly ILink _link;
    private readonly LinkReader _reader;
    private readonly RamBlockTable _blocks;
    private readonly VerificationOwner _verification = new();
    private readonly ChannelBuffer _out = new();
    private readonly DiskReceiver _disks;
    private DeviceSectionReader _devices;
    private RamSectionDecoder? _ram;
    private ColoConfiguration? _peer;
    private ConfigurationReply _reply;
    private bool _isColo;

    public IncomingMigration(VirtualMachine machine, MigrationSettings settings, MigrationControl control, ILink link)
    {
        _machine = machine;
        _settings = settings;
        _control = control;
        _link = link;
        _reader = new LinkReader(link) { Deadline = MigrationConstants.StepDeadline };
        _blocks = new RamBlockTable(new RamBlock(MigrationConstants.RamBlockName, machine.Memory.SizeBytes));
        _devices = new DeviceSectionReader(machine.StateOwners);
        _disks = new DiskReceiver(machine, _reader);
    }

    /// <summary>Receives the guest. Returns when it runs here on its own, for COLO when the session has ended.</summary>
    /// <exception cref="LinkException">The link failed while the guest was still the source's.</exception>
    /// <exception cref="MigrationException">The stream is not acceptable; nothing of it runs here.</exception>
    public void Run()
    {
        _control.Attach(_link, null);
        _machine.Memory.DiscardAll();
        ReadHead();
        _control.SetStatus(MigrationStatus.Active);
        while (!ReadElement())
        {
            // Until the device sections begin.
        }

        ReadDevices();
        if (_isColo && !_disks.IsCompared && _disks.HasWritable)
            throw Refuse("it did not say which disks its guest has");
        if (_isColo)
            RunColo();
        else
            FinishPlain();
    }

    /// <summary>Loads what arrived; the guest has not run here yet.</summary>
    void IPauseWork.OnPaused()
    {
        if (_devices.Apply() is { } failure)
            throw new MigrationException($"this host cannot load the guest: {failure}");
    }

    public void Dispose()
    {
        _link.Dispose();
        _disks.Dispose();
        _out.Dispose();
    }

    private void ReadHead()
    {
        int consumed;
        while (Parse(StreamHeader.TryRead(_reader.Available, out consumed), "this is not a migration stream of version 3"))
            _reader.Fill();
        _reader.Consume(consumed);
        StreamConfiguration? configuration;
        while (Parse(StreamConfigurationCodec.TryRead(_reader.Available, out configuration, out consumed), "its configuration section is malformed"))
            _reader.Fill();
        _reader.Consume(consumed);
        CheckConfiguration(configuration!);
    }

    private void CheckConfiguration(StreamConfiguration configuration)
    {
        if (configuration.MachineType != MigrationConstants.MachineType)
            throw Refuse($"its machine is a '{configuration.MachineType}', this one a '{MigrationConstants.MachineType}'");
        if (configuration.Colo is not { } peer)
            throw Refuse("it does not say what it can do (configuration/colo-vm is missing)");
        if (peer.Validate() is { } problem)
            throw Refuse(problem);
        if (peer.RamSizeBytes != _machine.Memory.SizeBytes)
            throw Refuse($"its guest has {peer.RamSizeBytes >> 20} MiB of RAM, this one {_machine.Memory.SizeBytes >> 20}");
        if (peer.VcpuCount != _machine.Config.Cpus)
            throw Refuse($"its guest has {peer.VcpuCount} vCPUs, this one {_machine.Config.Cpus}");
        _peer = peer;
        UInt128 seed = new(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)), BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)));
        ColoFeatures supported = _settings.PreSend ? ColoFeatures.Known : ColoFeatures.Known & ~ColoFeatures.PreSend;
        _reply = ConfigurationReply.Answer(peer, supported, seed) ?? throw Refuse($"it insists on {peer.RequestedFeatures}");
        _ram = new RamSectionDecoder(_blocks, _reply.AcceptedFeatures);
        if (_link is StreamLink)
            return;
        _out.Reset();
        _reply.Write(_out);
        _link.Send(_out.WrittenSpan);
    }

    // True when the next element is the first of the device sections.
    private bool ReadElement()
    {
        _reader.Require(1);
        int consumed;
        StreamElement element;
        while (Parse(ElementCodec.TryRead(_reader.Available, out element, out consumed), "an element of the stream is malformed"))
            _reader.Fill();
        switch (element.Kind)
        {
            case ElementKind.SectionFull:
                return true;
            case ElementKind.PrivateMessage:
                OnDiskMessage();
                return false;
            case ElementKind.Command:
                OnCommand(element.Command);
                _reader.Consume(consumed);
                return false;
            case ElementKind.SectionStart when !IsRam(element):
                throw Refuse("it holds a section of an unknown kind");
            case ElementKind.SectionStart or ElementKind.SectionPart or ElementKind.SectionEnd
                when element.SectionId == RamSectionEncoder.SectionId:
                _reader.Consume(consumed);
                ReadRam();
                return false;
            default:
                throw Refuse($"unexpected {element.Kind}");
        }
    }

    // The guest does not run here yet, so what comes goes straight into the images.
    private void OnDiskMessage()
    {
        _reader.Require(ColoMessageCodec.SizeBytes);
        ColoFeatures features = _isColo ? _reply.AcceptedFeatures : ColoFeatures.None;
        if (ColoMessageCodec.TryRead(_reader.Available, features, out ColoMessage message) != FrameStatus.Ok)
            throw Refuse("a private message that was not negotiated");
        try
        {
            switch (message)
            {
                case ColoMessage.DiskList when !_disks.IsCompared:
                    _control.OnColoReceived(message);
                    if (_disks.ReceiveList() is { } difference)
                        throw Refuse(difference);
                    break;
                case ColoMessage.DiskHashes when _disks.IsCompared:
                    _control.OnColoReceived(message);
                    _disks.AnswerHashes(Seed().PageHashSeed);
                    break;
                case ColoMessage.DiskData or ColoMessage.DiskZeroes when _disks.IsCompared:
                    _disks.Receive();
                    break;
                default:
                    throw Refuse($"unexpected {message.Name()}");
            }
        }
        catch (MigrationException e)
        {
            RefusalSender.Send(_link, e.Message, _control);
            throw;
        }
    }

    private SessionSeed Seed() => SessionSeed.Combine(_peer!.Value.SeedPart, _reply.SeedPart);

    private static bool IsRam(in StreamElement element) =>
        WireName.Matches(element.Name, RamSectionEncoder.SectionName) && element.Version == RamSectionEncoder.SectionVersion;

    private void OnCommand(StreamCommand command)
    {
        if (command != StreamCommand.EnableColo)
            throw Refuse($"the command {command} is not supported");
        if ((_reply.AcceptedFeatures & ColoFeatures.EpochDigest) == 0)
            throw Refuse("it wants COLO without epoch digests");
        if (_link is StreamLink)
            throw Refuse("COLO needs a link with two directions");
        if (_disks.HasWritable && (_reply.AcceptedFeatures & ColoFeatures.Disks) == 0)
            throw Refuse("it does not replicate disks, and this machine has a writable one");
        _isColo = true;
        _devices = new DeviceSectionReader([.. _machine.StateOwners, _verification]);
    }

    // The guest does not run yet, so pages go straight into the committed image.
    private void ReadRam()
    {
        while (true)
        {
            RamRecord record = RamRecords.Next(_reader, _ram!);
            ulong page = record.PageOffset >> GuestPage.Shift;
            switch (record.Kind)
            {
                case RamRecordKind.EndOfSection:
                    RamRecords.Footer(_reader);
                    return;
                case RamRecordKind.ZeroPage:
                    _machine.Memory.ZeroCommittedPage(page);
                    break;
                case RamRecordKind.Page:
                    _reader.ReadExactly(_machine.Memory.CommittedPageForWrite(page));
                    break;
                case RamRecordKind.BlockList:
                    break;
                default:
                    throw Refuse($"a {record.Kind} record in the initial transfer");
            }
        }
    }

    private void ReadDevices()
    {
        int consumed;
        while (true)
        {
            FrameStatus status = _devices.TryRead(_reader.AvailableMemory, out consumed);
            if (status == FrameStatus.Ok)
                break;
            if (status == FrameStatus.Malformed)
                throw Refuse(_devices.Reason ?? "a device section is malformed");
            _reader.Fill();
        }

        _reader.Consume(consumed);
    }

    private void FinishPlain()
    {
        _machine.Memory.MakeShared();
        _machine.ArrivesFromSavedState = _link is StreamLink;
        _machine.Apply(this, RunState.InMigrate);
        _control.SetStatus(MigrationStatus.Completed);
        if (_link is StreamLink)
            return;
        try
        {
            byte[] word = new byte[ColoMessageCodec.SizeBytes];
            ColoMessageCodec.Write(word, ColoMessage.VmstateLoaded);
            _link.Send(word);
        }
        catch (LinkException e)
        {
            _control.OnMessage($"the guest runs here, but its source does not know: {e.Message}");
        }
    }

    private void RunColo()
    {
        SessionSeed seed = Seed();
        using ColoSecondary session = new(
            _machine, _settings, _control, _reader, _blocks, _ram!, _devices, _disks, _verification, seed, _reply.AcceptedFeatures);
        session.Run(this);
    }

    private bool Parse(FrameStatus status, string problem) =>
        status != FrameStatus.Malformed ? status == FrameStatus.NeedMoreData : throw Refuse(problem);

    private MigrationException Refuse(string why) => new($"cannot take the guest from {_link.Description}: {why}");
}
