using Kvm.Colo.Native;

namespace Kvm.Colo.Net.Tests;

public sealed class NetGateTests : IDisposable
{
    private readonly RecordingNet _network = new();
    private readonly NetGate _gate;
    private int _pressed;
    private int _waited;

    public NetGateTests() => _gate = new NetGate(_network);

    public void Dispose() => _gate.Dispose();

    [Fact]
    public void OpenGate_LetsFramesThrough()
    {
        Send(1, 2);
        Assert.Equal([1, 2], Left());
        Assert.True(_gate.CanSend);
        Assert.Equal(0, _gate.HeldFrames);
    }

    [Fact]
    public void HeldFrames_LeaveWithTheirEpoch_InOrder()
    {
        Send(1);
        Hold();
        Send(2, 3);
        _gate.MarkCut();
        Send(4);
        Assert.Equal([1], Left());
        Assert.False(_gate.ReleaseCut());
        Assert.Equal([1, 2, 3], Left());
        _gate.ReleaseCut();
        Assert.Equal([1, 2, 3], Left());
        _gate.MarkCut();
        _gate.ReleaseCut();
        Assert.Equal([1, 2, 3, 4], Left());
        Assert.Equal(3, _gate.HeldFrames);
        Assert.Equal(0, _gate.DroppedFrames);
    }

    [Fact]
    public void FirstFrameOfAnEpoch_IsToldOf()
    {
        Hold();
        Assert.Equal(0, _waited);
        Send(1, 2);
        Assert.Equal(1, _waited);
        _gate.MarkCut();
        _gate.ReleaseCut();
        Send(3, 4);
        Assert.Equal(2, _waited);
    }

    [Fact]
    public void LostProtection_ReleasesEverythingAtOnce()
    {
        Hold();
        Send(1);
        _gate.MarkCut();
        Send(2);
        _gate.Open();
        Send(3);
        Assert.Equal([1, 2, 3], Left());
        Assert.False(_gate.ReleaseCut());
    }

    [Fact]
    public void SpeculativeFrames_AreDroppedByAnEpoch_AndLeaveAtATakeover()
    {
        _gate.SetReceiving(true);
        _gate.Speculate();
        Assert.False(_network.IsReceiving);
        Assert.Equal(0, _gate.TryReceive([]));
        Send(1);
        _gate.DropSpeculation();
        Send(2, 3);
        Assert.Empty(Left());
        _gate.Open();
        Assert.Equal([2, 3], Left());
        Assert.Equal(1, _gate.DroppedFrames);
        Assert.True(_network.IsReceiving);
        Assert.Equal(7, _gate.TryReceive([]));
    }

    [Fact]
    public void FullGate_StopsTheCard_AsksForACheckpoint_AndTellsWhenThereIsRoom()
    {
        Hold();
        byte[] frame = new byte[1500];
        while (_gate.CanSend)
            Assert.Equal(Errno.None, _gate.TrySend(frame));
        Assert.Equal(1, _pressed);
        Assert.Equal(Errno.ENOBUFS, _gate.TrySend(frame));
        Assert.Equal(1, _gate.DroppedFrames);
        _gate.MarkCut();
        Assert.True(_gate.ReleaseCut());
        Assert.True(_gate.CanSend);
        Assert.Equal(0, _gate.WaitingFrames);
        Assert.False(_gate.ReleaseCut());
    }

    [Fact]
    public void WhatTheNetworkRefuses_IsLostAndCounted()
    {
        Hold();
        Send(1, 2);
        _network.Answer = Errno.EAGAIN;
        _gate.MarkCut();
        _gate.ReleaseCut();
        Assert.Equal(2, _gate.DroppedFrames);
        Assert.Equal(0, _gate.WaitingFrames);
    }

    [Fact]
    public void Steadily_NothingIsAllocated()
    {
        _network.Keeps = false;
        Hold();
        byte[] frame = new byte[1500];
        long allocated = 0;
        for (int round = 0; round < 400; round++)
        {
            if (round == 200)
                allocated = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 50; i++)
                _gate.TrySend(frame);
            _gate.MarkCut();
            _gate.ReleaseCut();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - allocated);
    }

    private void Hold() => _gate.Hold(() => _waited++, () => _pressed++);

    private void Send(params byte[] numbers)
    {
        foreach (byte number in numbers)
            Assert.Equal(Errno.None, _gate.TrySend([number]));
    }

    private byte[] Left() => [.. _network.Sent.Select(static frame => frame[0])];
}
