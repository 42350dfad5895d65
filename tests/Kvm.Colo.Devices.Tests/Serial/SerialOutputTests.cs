using System.Text;
using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Devices.Tests.Support;

namespace Kvm.Colo.Devices.Tests.Serial;

public class SerialOutputTests
{
    private readonly FakeSerialBackend _backend = new();
    private readonly SerialOutput _output;
    private readonly byte[] _log = new byte[SerialOutput.EpochLogBytes];
    private int _readyCalls;

    public SerialOutputTests()
    {
        _output = new SerialOutput(_backend) { Ready = () => _readyCalls++ };
        _backend.Start(new NoInput(), _output.OnBackendReady);
    }

    [Fact]
    public void Direct_WritesThrough_AndKeepsNoLog()
    {
        Say("abc");
        Assert.Equal("abc", _backend.Text);
        Assert.Equal(0, _output.TakeEpochLog(_log, out _));
    }

    [Fact]
    public void Recording_WritesThrough_AndHandsOutEachEpochOnce()
    {
        Say("before");
        _output.StartRecording();
        Say("one");
        Assert.Equal("one", TakeLog());
        Say("two");
        Assert.Equal("two", TakeLog());
        Assert.Equal("", TakeLog());
        Assert.Equal("beforeonetwo", _backend.Text);
    }

    [Fact]
    public void Recording_LogsOnlyWhatTheBackendTook()
    {
        _output.StartRecording();
        _backend.Room = 2;
        Assert.Equal(2, _output.Write("abc"u8));
        Assert.Equal("ab", TakeLog());
    }

    [Fact]
    public void Recording_DropsTheOldest_AndCounts()
    {
        _output.StartRecording();
        _output.Write(new byte[SerialOutput.EpochLogBytes]);
        Say("end");
        int length = _output.TakeEpochLog(_log, out ulong lost);
        Assert.Equal(SerialOutput.EpochLogBytes, length);
        Assert.Equal(3ul, lost);
        Assert.Equal("end", Encoding.ASCII.GetString(_log.AsSpan(length - 3, 3)));
        _output.TakeEpochLog(_log, out lost);
        Assert.Equal(0ul, lost);
    }

    [Fact]
    public void Speculative_ShowsOnlyCommittedBytes_ThenTheContinuation()
    {
        _output.StartSpeculating();
        Say("mine 1");
        Assert.Equal("", _backend.Text);
        _output.CommitEpoch("theirs 1;"u8, 0);
        Say("mine 2");
        _output.CommitEpoch("theirs 2;"u8, 0);
        Say("mine 3");
        Assert.Equal("theirs 1;theirs 2;", _backend.Text);
        _output.GoDirect();
        Say(", direct");
        Assert.Equal("theirs 1;theirs 2;mine 3, direct", _backend.Text);
    }

    [Fact]
    public void Speculative_RefusesPastItsBound_UntilACommit()
    {
        _output.StartSpeculating();
        Assert.Equal(SerialOutput.SpeculativeBytes, _output.Write(new byte[SerialOutput.SpeculativeBytes + 10]));
        Assert.Equal(0, _output.Write([1]));
        _output.CommitEpoch([], 0);
        Assert.Equal(1, _output.Write([1]));
    }

    [Fact]
    public void Failover_KeepsOrder_WhenTheBackendIsBehind()
    {
        _output.StartSpeculating();
        _backend.Room = 3;
        _output.CommitEpoch("committed "u8, 0);
        Say("speculative ");
        _output.GoDirect();
        Assert.Equal(0, _output.Write("refused"u8));
        int before = _readyCalls;
        _backend.GiveRoom(5);
        Assert.Equal(before, _readyCalls);
        _backend.GiveRoom(100);
        Assert.Equal(before + 1, _readyCalls);
        Say("direct");
        Assert.Equal("committed speculative direct", _backend.Text);
    }

    [Fact]
    public void CommittedBacklog_IsBounded_AndCountsWhatItLoses()
    {
        _output.StartSpeculating();
        _backend.Room = 0;
        byte[] epoch = new byte[SerialOutput.EpochLogBytes];
        int epochs = (SerialOutput.BacklogBytes / epoch.Length) + 2;
        for (int i = 0; i < epochs; i++)
            _output.CommitEpoch(epoch, 0);
        _output.CommitEpoch([], 5);
        Assert.Equal((2ul * SerialOutput.EpochLogBytes) + 5, _output.LostBytes);
        _backend.GiveRoom(int.MaxValue);
        Assert.Equal(SerialOutput.BacklogBytes, _backend.Bytes.Length);
    }

    [Fact]
    public void Commit_DoesNothing_OutsideSpeculation()
    {
        _output.CommitEpoch("x"u8, 1);
        Assert.Equal("", _backend.Text);
        Assert.Equal(0ul, _output.LostBytes);
    }

    [Fact]
    public void ChangesOfMode_AreAnnounced()
    {
        _output.StartRecording();
        _output.StartSpeculating();
        _output.GoDirect();
        Assert.Equal(3, _readyCalls);
    }

    private void Say(string text) => Assert.Equal(text.Length, _output.Write(Encoding.ASCII.GetBytes(text)));

    private string TakeLog() => Encoding.ASCII.GetString(_log.AsSpan(0, _output.TakeEpochLog(_log, out _)));

    private sealed class NoInput : ISerialInput
    {
        public int Receive(ReadOnlySpan<byte> data) => data.Length;
    }
}
