using System.Text;
using Kvm.Colo.Devices.Tests.Virtio.Support;
using Kvm.Colo.Devices.Virtio.Console;
using Kvm.Colo.Memory;

namespace Kvm.Colo.Devices.Tests.Virtio.Console;

public sealed class VirtioConsoleTests : IDisposable
{
    private const ulong Buffers = VirtioBench<VirtioConsole>.Buffers;
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(5);
    private readonly ScriptedBackend _backend = new();
    private readonly VirtioBench<VirtioConsole> _bench;

    public VirtioConsoleTests()
    {
        _bench = NewBench(_backend);
        _bench.Driver.Start(0);
        _bench.Loop.RunPosted();
    }

    private GuestQueue Receive => _bench.Driver.Queues[0];

    private GuestQueue Transmit => _bench.Driver.Queues[1];

    private string Written => Encoding.ASCII.GetString(_backend.Written.ToArray());

    public void Dispose()
    {
        _bench.Dispose();
        _backend.Dispose();
    }

    [Fact]
    public void Output_ReachesTheBackend_WholeAndInOrder()
    {
        Say(_bench, "hello, ", "world");
        Assert.Equal("hello, world", Written);
        Assert.Equal(2, Transmit.TakeUsed().Count);
        Assert.Equal(1u, _bench.Driver.TakeInterrupt());
    }

    [Fact]
    public void Output_WaitsForRoom_WithoutLossOrRepetition()
    {
        _backend.LimitRoom(3);
        Say(_bench, "abcdefgh");
        Assert.Equal("abc", Written);
        Assert.Empty(Transmit.TakeUsed());
        _bench.Driver.Notify(1);
        _backend.GiveRoom(2);
        _bench.Loop.RunPosted();
        Assert.Equal("abcde", Written);
        _backend.GiveRoom(100);
        _bench.Loop.RunPosted();
        Assert.Equal("abcdefgh", Written);
        Assert.Single(Transmit.TakeUsed());
    }

    [Fact]
    public void Input_FillsBuffers_AndIsResumedWhenThereAreNew()
    {
        Assert.Equal(0, _backend.Type("early"));
        Receive.Add(GuestBuffer.ToDriver(Buffers, 3));
        _bench.Driver.Notify(0);
        Assert.Equal(1, _backend.ResumeCalls);
        Assert.Equal(3, _backend.Type("early"));
        Assert.Equal([(0, 3u)], Receive.TakeUsed());
        Assert.Equal("ear", Encoding.ASCII.GetString(_bench.Read(Buffers, 3)));
        Receive.Add(GuestBuffer.ToDriver(Buffers, 64));
        _bench.Driver.Notify(0);
        Assert.Equal(2, _backend.ResumeCalls);
        Assert.Equal(2, _backend.Type("ly"));
    }

    [Fact]
    public void Input_IsRefused_WhileQuiesced_AndAskedForAfterwards()
    {
        Receive.Add(GuestBuffer.ToDriver(Buffers, 64));
        Assert.True(_bench.Device.TryQuiesce(s_deadline));
        Assert.Equal(0, _backend.Type("x"));
        _bench.Device.Resume();
        _bench.Loop.RunPosted();
        Assert.Equal(1, _backend.ResumeCalls);
        Assert.Equal(1, _backend.Type("x"));
    }

    // A chain half sent is continued on the other side, not begun again.
    [Fact]
    public void SaveLoadSave_IsByteEqual_InTheMiddleOfAChain()
    {
        _backend.LimitRoom(3);
        Say(_bench, "abcdefgh");
        Assert.True(_bench.Device.TryQuiesce(s_deadline));
        byte[] saved = SavedState.Save(_bench.Device);
        byte[] memory = _bench.Read(0, (int)VirtioBench<VirtioConsole>.RamBytes);

        using var backend = new ScriptedBackend();
        using VirtioBench<VirtioConsole> target = NewBench(backend);
        for (int round = 1; round <= 2; round++)
        {
            Assert.True(target.Device.TryQuiesce(s_deadline));
            target.Write(0, memory);
            Assert.Null(SavedState.Load(target.Device, saved));
            Assert.Equal(saved, SavedState.Save(target.Device));
            target.Device.Resume();
            target.Loop.RunPosted();
            Assert.Equal(string.Concat(Enumerable.Repeat("defgh", round)), Encoding.ASCII.GetString(backend.Written.ToArray()));
        }
    }

    // Classes 10 and 20: a chain of overlapping buffers is half a gigabyte long; it goes out in turns.
    [Fact]
    public void Output_OfAHugeChain_GoesOutInTurns()
    {
        var huge = GuestBuffer.ToDevice(Buffers, 1 << 20);
        Transmit.Add(huge, huge, huge);
        _bench.Driver.Notify(1);
        Assert.InRange(_backend.Written.Length, 1, 128 * 1024);
        _bench.Loop.RunPosted();
        Assert.Equal(3 << 20, _backend.Written.Length);
        Assert.Single(Transmit.TakeUsed());
    }

    [Fact]
    public void EveryChangedPage_IsMarked()
    {
        for (int i = 0; i < 8; i++)
            Receive.Add(GuestBuffer.ToDriver(Buffers + (ulong)(i * 5000), 3000));
        DirtyCheck.Run(_bench.Memory, () => Assert.Equal(20_000, _backend.Type(new string('x', 20_000))));
    }

    private static VirtioBench<VirtioConsole> NewBench(ScriptedBackend backend)
    {
        var bench = new VirtioBench<VirtioConsole>(host => new VirtioConsole(host, "console0", 0, backend));
        bench.Device.Start();
        return bench;
    }

    private static void Say(VirtioBench<VirtioConsole> bench, params string[] texts)
    {
        ulong at = Buffers;
        foreach (string text in texts)
        {
            Assert.True(bench.Memory.TryWrite(new GuestPhysicalAddress(at), Encoding.ASCII.GetBytes(text)));
            bench.Driver.Queues[1].Add(GuestBuffer.ToDevice(at, (uint)text.Length));
            at += 0x1000;
        }

        bench.Driver.Notify(1);
    }
}
