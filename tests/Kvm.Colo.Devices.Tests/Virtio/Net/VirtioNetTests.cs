using System.Buffers.Binary;
using Kvm.Colo.Devices.Tests.Virtio.Support;
using Kvm.Colo.Devices.Virtio;
using Kvm.Colo.Net;
using static Kvm.Colo.Devices.Virtio.Net.VirtioNetProtocol;

namespace Kvm.Colo.Devices.Tests.Virtio.Net;

public sealed class VirtioNetTests : IDisposable
{
    private const ulong Buffers = NetBench.Buffers;
    private const ulong Offloads = FeatureChecksum | FeatureGuestChecksum | FeatureGuestTso4 | FeatureGuestTso6
        | FeatureHostTso4 | FeatureHostTso6;
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(5);
    private readonly NetBench _bench = new();

    private GuestDriver Driver => _bench.Driver;

    private ScriptedNet Wire => _bench.Wire;

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Configuration_TellsAddressAndLink_AndIsReadOnly()
    {
        Assert.Equal(0x3322_1100_5452ul, Driver.ReadConfiguration<ulong>(0) & 0xFFFF_FFFF_FFFF);
        Assert.Equal(1, Driver.ReadConfiguration<ushort>(ConfigStatus));
        _bench.Virtio.Transport.Write(0x100, [1, 2, 3, 4]);
        Assert.Equal(0x52, Driver.ReadConfiguration<byte>(0));
        Assert.Equal(1, _bench.Device.Faults.Count);
    }

    [Theory]
    [InlineData(0ul, NetOffloads.None)]
    [InlineData(FeatureGuestTso4, NetOffloads.None)]
    [InlineData(FeatureGuestChecksum, NetOffloads.Checksum)]
    [InlineData(FeatureGuestChecksum | FeatureGuestTso4, NetOffloads.Checksum | NetOffloads.Tso4)]
    [InlineData(FeatureGuestChecksum | FeatureGuestTso6, NetOffloads.Checksum | NetOffloads.Tso6)]
    internal void Offloads_AreThoseAccepted_AndNoneAfterAReset(ulong features, NetOffloads expected)
    {
        _bench.Start(features);
        Assert.Equal(expected, Wire.Offloads[^1]);
        Driver.Status = 0;
        Assert.Equal(NetOffloads.None, Wire.Offloads[^1]);
        Assert.False(Wire.IsReceiving);
    }

    [Fact]
    public void Send_GathersTheChain()
    {
        _bench.Start(0);
        byte[] frame = NetBench.Frame(100);
        _bench.Virtio.Write(Buffers, frame);
        _bench.Transmit.Add(
            GuestBuffer.ToDevice(Buffers, 5), GuestBuffer.ToDevice(Buffers + 5, 10), GuestBuffer.ToDevice(Buffers + 15, 97));
        Driver.Notify(1);
        Assert.Equal(frame, Assert.Single(Wire.Sent));
        Assert.Equal([(0, 0u)], _bench.Transmit.TakeUsed());
        Assert.Equal((1, 100), (_bench.Device.Counters.Sent, _bench.Device.Counters.SentBytes));
    }

    [Theory]
    [InlineData(VnetHeader.MaxFrameBytes, true)]
    [InlineData(VnetHeader.MaxFrameBytes + 1, false)]
    [InlineData(VnetHeader.SizeBytes + 14, true)]
    [InlineData(VnetHeader.SizeBytes + 13, false)]
    [InlineData(1, false)]
    public void Send_DropsIllegalLengths(int length, bool isSent)
    {
        _bench.Start(0);
        _bench.Send(new byte[length]);
        Assert.Equal(isSent ? 1 : 0, Wire.Sent.Count);
        Assert.Equal(isSent ? 0 : 1, _bench.Device.Counters.SendDropped);
    }

    // Class 17: what a header asks for must have been negotiated.
    [Theory]
    [InlineData(1, 0, 0ul, false)]
    [InlineData(1, 0, FeatureChecksum, true)]
    [InlineData(1, 1, FeatureChecksum, false)]
    [InlineData(1, 1, FeatureChecksum | FeatureHostTso4, true)]
    [InlineData(1, 4, FeatureChecksum | FeatureHostTso4, false)]
    [InlineData(1, 0x81, FeatureChecksum | FeatureHostTso4, false)]
    [InlineData(0, 3, Offloads, false)]
    [InlineData(0, 0x7F, Offloads, false)]
    public void Send_DropsWhatWasNotNegotiated(byte flags, byte gso, ulong features, bool isSent)
    {
        _bench.Start(features);
        byte[] frame = NetBench.Frame(200);
        frame[VnetHeader.FlagsOffset] = flags;
        frame[VnetHeader.GsoTypeOffset] = gso;
        _bench.Send(frame);
        Assert.Equal(isSent ? 1 : 0, Wire.Sent.Count);
    }

    [Fact]
    public void Receive_FillsOneBuffer_WithItsCount()
    {
        _bench.Start(0);
        _bench.Receive.Add(GuestBuffer.ToDriver(Buffers, 12), GuestBuffer.ToDriver(Buffers + 0x1000, 1514));
        byte[] frame = NetBench.Frame(300);
        frame[VnetHeader.FlagsOffset] = 2;
        Wire.Arrive(frame);
        Assert.Equal([(0, 312u)], _bench.Receive.TakeUsed());
        Assert.Equal(frame.AsSpan(12).ToArray(), _bench.Virtio.Read(Buffers + 0x1000, 300));
        byte[] header = _bench.Virtio.Read(Buffers, 12);
        Assert.Equal(0, header[VnetHeader.FlagsOffset]);
        Assert.Equal(1, BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(VnetHeader.BufferCountOffset)));
        Assert.Equal(1u, Driver.TakeInterrupt());
    }

    [Fact]
    public void Receive_SpreadsAFrame_OverMergeableBuffers()
    {
        _bench.Start(FeatureMergeableBuffers);
        for (int i = 0; i < 50; i++)
            _bench.Receive.Add(GuestBuffer.ToDriver(Buffers + (ulong)(i * 2048), 1526));
        byte[] frame = NetBench.Frame(VnetHeader.MaxFrameBytes - VnetHeader.SizeBytes);
        Wire.Arrive(frame);
        var used = _bench.Receive.TakeUsed();
        Assert.Equal(43, used.Count);
        Assert.Equal(43, BinaryPrimitives.ReadUInt16LittleEndian(_bench.Virtio.Read(Buffers + VnetHeader.BufferCountOffset, 2)));
        byte[] got = [.. used.SelectMany((element, i) => _bench.Virtio.Read(Buffers + (ulong)(i * 2048), (int)element.Length))];
        Assert.Equal(frame.AsSpan(12).ToArray(), got.AsSpan(12).ToArray());
    }

    // Class 19: without buffers nobody looks at the wire, one frame is held, none is lost when buffers come.
    [Fact]
    public void Receive_StopsWithoutBuffers_AndGoesOnWithThem()
    {
        _bench.Start(FeatureMergeableBuffers | VirtioFeature.RingEventIndex);
        Assert.True(Wire.IsReceiving);
        Wire.Arrive(NetBench.Frame(100), NetBench.Frame(101));
        Assert.False(Wire.IsReceiving);
        Assert.Equal(1, Wire.Waiting);
        Assert.Equal(0, _bench.Receive.AvailableEvent);
        _bench.Receive.Add(GuestBuffer.ToDriver(Buffers, 2048));
        _bench.Receive.Add(GuestBuffer.ToDriver(Buffers + 4096, 2048));
        Driver.Notify(0);
        Assert.Equal([112u, 113u], _bench.Receive.TakeUsed().Select(static used => used.Length));
        Assert.True(Wire.IsReceiving);
    }

    [Fact]
    public void Receive_NeedingMoreMergeableBuffers_TakesNoneUntilThereAreEnough()
    {
        _bench.Start(FeatureMergeableBuffers);
        _bench.Receive.Add(GuestBuffer.ToDriver(Buffers, 500));
        Wire.Arrive(NetBench.Frame(900));
        Assert.Empty(_bench.Receive.TakeUsed());
        _bench.Receive.Add(GuestBuffer.ToDriver(Buffers + 4096, 500));
        Driver.Notify(0);
        Assert.Equal([500u, 412u], _bench.Receive.TakeUsed().Select(static used => used.Length));
    }

    [Fact]
    public void Receive_DropsAFrame_TooLargeForItsBuffer_AndKeepsTheBuffer()
    {
        _bench.Start(0);
        _bench.Receive.Add(GuestBuffer.ToDriver(Buffers, 200));
        Wire.Arrive(NetBench.Frame(500), NetBench.Frame(100));
        Assert.Equal([(0, 112u)], _bench.Receive.TakeUsed());
        Assert.Equal(1, _bench.Device.Counters.ReceiveDropped);
    }

    [Fact]
    public void Receive_PassesBadChains_WithLengthZero()
    {
        _bench.Start(FeatureMergeableBuffers);
        _bench.Receive.Add(GuestBuffer.ToDevice(Buffers, 500));
        _bench.Receive.Add(GuestBuffer.ToDriver(ulong.MaxValue - 10, 500));
        _bench.Receive.Add(GuestBuffer.ToDriver(Buffers, 4));
        _bench.Receive.Add(GuestBuffer.ToDriver(Buffers, 2000));
        Wire.Arrive(NetBench.Frame(100));
        Assert.Equal([(0, 0u), (1, 0u), (2, 0u), (3, 112u)], _bench.Receive.TakeUsed());
    }

    [Fact]
    public void Link_IsShown_AndStopsTraffic()
    {
        _bench.Start(FeatureStatus);
        uint generation = Driver.Read(0xFC);
        _bench.Device.SetLink(false);
        Assert.Equal(2u, Driver.TakeInterrupt());
        Assert.NotEqual(generation, Driver.Read(0xFC));
        Assert.Equal(0, Driver.ReadConfiguration<ushort>(ConfigStatus));
        Assert.False(Wire.IsReceiving);
        _bench.Send(NetBench.Frame(100));
        Assert.Empty(Wire.Sent);
        _bench.Device.SetLink(true);
        Assert.True(Wire.IsReceiving);
        Wire.Lose();
        Assert.Equal(0, Driver.ReadConfiguration<ushort>(ConfigStatus));
    }

    // Class 16: an interrupt in the middle of a checkpoint would be in half of the saved state.
    [Fact]
    public void Link_ChangedWhileQuiesced_IsToldAfterwards()
    {
        _bench.Start(FeatureStatus);
        Assert.True(_bench.Device.TryQuiesce(s_deadline));
        _bench.Device.SetLink(false);
        Assert.False(_bench.Virtio.Line.Level);
        _bench.Device.Resume();
        Assert.Equal(2u, Driver.TakeInterrupt());
        Assert.Equal(0, Driver.ReadConfiguration<ushort>(ConfigStatus));
    }

    [Fact]
    public void Link_ComingBack_DropsWhatCameMeanwhile()
    {
        _bench.Start(FeatureStatus);
        Wire.Arrive(NetBench.Frame(100)); // held: there are no buffers yet
        _bench.Device.SetLink(false);
        Wire.Arrive(NetBench.Frame(101), NetBench.Frame(102));
        _bench.Device.SetLink(true);
        _bench.Receive.Add(GuestBuffer.ToDriver(Buffers, 2048));
        Driver.Notify(0);
        Assert.Empty(_bench.Receive.TakeUsed());
        Assert.Equal(3, _bench.Device.Counters.ReceiveDropped);
        Wire.Arrive(NetBench.Frame(103));
        Assert.Equal([(0, 115u)], _bench.Receive.TakeUsed());
        Assert.Equal((1, 103), (_bench.Device.Counters.Received, _bench.Device.Counters.ReceivedBytes));
    }

    [Fact]
    public void Link_StaysDown_WithoutAnInterface()
    {
        _bench.Start(FeatureStatus);
        Wire.Lose();
        _bench.Device.SetLink(true);
        Assert.False(_bench.Device.IsLinkUp);
        Assert.Equal(0, Driver.ReadConfiguration<ushort>(ConfigStatus));
    }

    [Fact]
    public void Driver_ThatStartsWithoutAnInterface_FindsTheLinkDown_AndNothingBroken()
    {
        Wire.IsGone = true;
        _bench.Start(FeatureStatus);
        Assert.Equal(15u, Driver.Status);
        Assert.Equal(0, Driver.ReadConfiguration<ushort>(ConfigStatus));
        Assert.Equal(1, _bench.Device.HostErrors.Count);
        _bench.Send(NetBench.Frame(100));
        Assert.Equal(1, _bench.Device.Counters.SendDropped);
        Wire.Lose();
        Assert.Equal(1, _bench.Device.HostErrors.Count);
    }

    // The survivor of a host that lost its interface has one of its own, and the guest must hear of it.
    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Link_AfterALoad_IsThisHosts_AndTheGuestIsToldOfAChange(bool wasUp, bool isUp)
    {
        using var target = new NetBench();
        _bench.Start(FeatureStatus);
        if (!wasUp)
        {
            Wire.Lose();
            Assert.Equal(2u, Driver.TakeInterrupt());
        }

        target.Device.SetLink(isUp);
        Assert.True(_bench.Device.TryQuiesce(s_deadline));
        byte[] saved = SavedState.Save(_bench.Device);
        Assert.True(target.Device.TryQuiesce(s_deadline));
        target.Virtio.Write(0, _bench.Virtio.Read(0, 8 << 20));
        Assert.Null(SavedState.Load(target.Device, saved));
        target.Device.Resume();
        target.Virtio.Loop.RunPosted();

        Assert.Equal(wasUp == isUp ? 0u : 2u, target.Driver.TakeInterrupt());
        Assert.Equal(isUp ? StatusLinkUp : 0, target.Driver.ReadConfiguration<ushort>(ConfigStatus));
        Assert.Equal(isUp, target.Wire.IsReceiving);
    }

    [Fact]
    public void Announce_AsksTheGuest_AndSpeaksForIt()
    {
        _bench.Start(FeatureStatus | FeatureControlQueue | FeatureGuestAnnounce);
        _bench.Device.Announce();
        Assert.Equal(StatusLinkUp | StatusAnnounce, Driver.ReadConfiguration<ushort>(ConfigStatus));
        Assert.Equal(2u, Driver.TakeInterrupt());
        byte[] spoken = Wire.Sent[0];
        Assert.Equal("FFFFFFFFFFFF5254001122338035", Convert.ToHexString(spoken.AsSpan(12, 14)));

        Assert.Equal(ControlOk, Ask(3, 0));
        Assert.Equal(StatusLinkUp, Driver.ReadConfiguration<ushort>(ConfigStatus));
        for (int round = 0; round < 10; round++)
        {
            foreach (TestLoop.Timer timer in _bench.Virtio.Loop.Timers.Where(static timer => timer.IsStarted))
                timer.Fire();
        }

        Assert.Equal(5, Wire.Sent.Count);
    }

    [Fact]
    public void Announce_WaitsForAResume()
    {
        _bench.Start(FeatureStatus | FeatureControlQueue | FeatureGuestAnnounce);
        Assert.True(_bench.Device.TryQuiesce(s_deadline));
        _bench.Device.Announce();
        Assert.Empty(Wire.Sent);
        Assert.Equal(0u, Driver.TakeInterrupt());
        _bench.Device.Resume();
        _bench.Virtio.Loop.Timers.Single().Fire();
        Assert.Single(Wire.Sent);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(3, 1)]
    [InlineData(255, 255)]
    public void Control_RefusesWhatItDoesNotKnow(byte controlClass, byte command)
    {
        _bench.Start(FeatureControlQueue | FeatureGuestAnnounce);
        Assert.Equal(ControlError, Ask(controlClass, command));
    }

    [Fact]
    public void SaveLoadSave_IsByteEqual_AndOffloadsAreSetAgain()
    {
        using var target = new NetBench();
        _bench.Start(Offloads | FeatureMergeableBuffers | FeatureStatus | FeatureControlQueue | FeatureGuestAnnounce);
        _bench.Receive.Add(GuestBuffer.ToDriver(Buffers, 2048));
        Wire.Arrive(NetBench.Frame(100), NetBench.Frame(100));
        _bench.Device.Announce();
        Assert.True(_bench.Device.TryQuiesce(s_deadline));
        Assert.False(Wire.IsReceiving);
        byte[] saved = SavedState.Save(_bench.Device);
        byte[] memory = _bench.Virtio.Read(0, 8 << 20);
        for (int round = 0; round < 2; round++)
        {
            Assert.True(target.Device.TryQuiesce(s_deadline));
            target.Virtio.Write(0, memory);
            Assert.Null(SavedState.Load(target.Device, saved));
            Assert.Equal(saved, SavedState.Save(target.Device));
            Assert.Equal(NetOffloads.Checksum | NetOffloads.Tso4 | NetOffloads.Tso6, target.Wire.Offloads[^1]);
            target.Device.Resume();
            target.Virtio.Loop.RunPosted();
            Assert.True(target.Wire.IsReceiving);
        }

        Assert.Equal(StatusLinkUp | StatusAnnounce, target.Driver.ReadConfiguration<ushort>(ConfigStatus));
    }

    [Fact]
    public void EveryChangedPage_IsMarked()
    {
        _bench.Start(FeatureMergeableBuffers);
        for (int i = 0; i < 50; i++)
            _bench.Receive.Add(GuestBuffer.ToDriver(Buffers + (ulong)(i * 5001), 3000));
        byte[][] frames = [NetBench.Frame(65_000), NetBench.Frame(1500), NetBench.Frame(9000)];
        DirtyCheck.Run(_bench.Virtio.Memory, () => Wire.Arrive(frames));
        Assert.NotEmpty(_bench.Receive.TakeUsed());
    }

    [Fact]
    public void Steadily_NothingIsAllocated()
    {
        _bench.Start(FeatureMergeableBuffers);
        Wire.KeepsFrames = false;
        byte[] frame = NetBench.Frame(1500);
        byte[][] frames = [frame];
        var toDriver = GuestBuffer.ToDriver(Buffers, 1526);
        var toDevice = GuestBuffer.ToDevice(Buffers + 0x1_0000, 1526);
        _bench.Virtio.Write(Buffers + 0x1_0000, frame);
        long before = 0;
        for (int round = 0; round < 1000; round++)
        {
            if (round == 500)
                before = GC.GetAllocatedBytesForCurrentThread();
            _bench.Receive.Add(toDriver);
            Driver.Notify(0);
            Wire.Arrive(frames);
            _bench.Transmit.Add(toDevice);
            Driver.Notify(1);
            if (!_bench.Receive.TryTakeUsed(out _, out _) || !_bench.Transmit.TryTakeUsed(out _, out _))
                throw new InvalidOperationException("a frame was not served");
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private byte Ask(byte controlClass, byte command)
    {
        _bench.Virtio.Write(Buffers, [controlClass, command, 0xEE]);
        _bench.Control.Add(GuestBuffer.ToDevice(Buffers, 2), GuestBuffer.ToDriver(Buffers + 2, 1));
        Driver.Notify(2);
        Assert.Single(_bench.Control.TakeUsed());
        return _bench.Virtio.Read(Buffers + 2, 1)[0];
    }
}
