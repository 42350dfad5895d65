using System.Text;
using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Devices.Tests.Virtio.Support;
using Kvm.Colo.Devices.Virtio.Console;
using Kvm.Colo.Memory;

namespace Kvm.Colo.Devices.Tests.Virtio.Console;

/// <summary>Two consoles as primary and secondary: what the secondary's shows is committed text and then its own continuation.</summary>
public sealed class VirtioConsolePairTests : IDisposable
{
    private const ulong Buffers = VirtioBench<VirtioConsole>.Buffers;
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(5);
    private readonly ScriptedBackend _primaryEnd = new();
    private readonly ScriptedBackend _secondaryEnd = new();
    private readonly VirtioBench<VirtioConsole> _primary;
    private readonly VirtioBench<VirtioConsole> _secondary;

    public VirtioConsolePairTests()
    {
        _primary = NewBench(_primaryEnd);
        _secondary = NewBench(_secondaryEnd);
        _primary.Device.Output.Enter(SerialOutputMode.Recording);
        _secondary.Device.Output.Enter(SerialOutputMode.Speculative);
        Checkpoint();
    }

    public void Dispose()
    {
        _primary.Dispose();
        _secondary.Dispose();
        _primaryEnd.Dispose();
        _secondaryEnd.Dispose();
    }

    [Fact]
    public void CommittedText_ReplacesWhatTheSecondarySaidByItself()
    {
        Say(_primary, "one ");
        Say(_secondary, "other");
        Assert.Equal("", Text(_secondaryEnd));

        Checkpoint();
        Assert.Equal("one ", Text(_secondaryEnd));
        Say(_primary, "two ");
        Checkpoint();

        Assert.Equal("one two ", Text(_primaryEnd));
        Assert.Equal("one two ", Text(_secondaryEnd));
    }

    [Fact]
    public void AfterAFailover_TheContinuationFollows_OnceAndWhole()
    {
        Say(_primary, "committed ");
        Checkpoint();
        Say(_primary, "lost with the primary");
        Say(_secondary, "continued");

        _secondary.Device.Output.Enter(SerialOutputMode.Direct);
        _secondary.Loop.RunPosted();

        Assert.Equal("committed continued", Text(_secondaryEnd));
    }

    [Fact]
    public void Input_WaitsOnASpeculatingSecondary()
    {
        _secondary.Driver.Queues[0].Add(GuestBuffer.ToDriver(Buffers + 0x8000, 64));
        Assert.Equal(0, _secondaryEnd.Type("typed"));
        _secondary.Device.Output.Enter(SerialOutputMode.Direct);
        _secondary.Loop.RunPosted();
        Assert.Equal(5, _secondaryEnd.Type("typed"));
    }

    private static VirtioBench<VirtioConsole> NewBench(ScriptedBackend backend)
    {
        var bench = new VirtioBench<VirtioConsole>(host => new VirtioConsole(host, "console0", 0, backend));
        bench.Device.Start();
        bench.Driver.Start(0);
        bench.Loop.RunPosted();
        return bench;
    }

    private static void Say(VirtioBench<VirtioConsole> bench, string text)
    {
        Assert.True(bench.Memory.TryWrite(new GuestPhysicalAddress(Buffers), Encoding.ASCII.GetBytes(text)));
        bench.Driver.Queues[1].Add(GuestBuffer.ToDevice(Buffers, (uint)text.Length));
        bench.Driver.Notify(1);
        bench.Driver.Queues[1].TakeUsed();
    }

    private static string Text(ScriptedBackend backend) => Encoding.ASCII.GetString(backend.Written.ToArray());

    // RAM and device state go over as an epoch; the driver of the secondary is the primary's from then on.
    private void Checkpoint()
    {
        Assert.True(_primary.Device.TryQuiesce(s_deadline));
        byte[] saved = SavedState.Save(_primary.Device);
        byte[] memory = _primary.Read(0, (int)VirtioBench<VirtioConsole>.RamBytes);
        _primary.Device.Resume();
        _primary.Loop.RunPosted();
        Assert.True(_secondary.Device.TryQuiesce(s_deadline));
        _secondary.Write(0, memory);
        Assert.Null(SavedState.Load(_secondary.Device, saved));
        _secondary.Device.Resume();
        _secondary.Loop.RunPosted();
        _secondary.Driver.Queues[1].Adopt(_primary.Driver.Queues[1]);
    }
}
