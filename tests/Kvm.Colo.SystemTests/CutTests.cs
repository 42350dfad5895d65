using Kvm.Colo.Stream;
using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Kvm.Colo.SystemTests;

/// <summary>The link dies after every byte of a checkpoint, or a byte of it arrives wrong: the secondary has the old epoch or the new
/// one, never a mix.</summary>
[Trait("Category", "RequiresKvm")]
public class CutTests(ITestOutputHelper output)
{
    private const string Append = "set=2 report=200000";

    [KvmFact]
    public void CutAfterEveryByte_LeavesTheOldEpochOrTheNew()
    {
        using RecordedEpoch epoch = new("chain.elf", Append, memoryMiB: 3);
        output.WriteLine($"{epoch.Bytes.Length} bytes, {epoch.ChangedPages} pages");
        Assert.True(epoch.ChangedPages > 3);
        for (int cut = 0; cut < epoch.Bytes.Length; cut++)
        {
            ColoMessage[] answers = epoch.Send(epoch.Bytes.AsMemory(0, cut));
            Assert.DoesNotContain(ColoMessage.VmstateReceived, answers);
            string state = epoch.Compare();
            Assert.True(state == "old", $"cut after {cut} of {epoch.Bytes.Length} bytes: {state}");
        }

        Assert.Equal([ColoMessage.VmstateReceived, ColoMessage.VmstateLoaded], epoch.Send(epoch.Bytes)[^2..]);
        Assert.Equal("new", epoch.Compare());
    }

    [KvmFact]
    public void DamagedByte_IsRefused()
    {
        using RecordedEpoch epoch = new("chain.elf", Append, memoryMiB: 3);
        Random random = new(5);
        byte[] damaged = [.. epoch.Bytes];
        for (int at = 0; at < damaged.Length; at++)
        {
            damaged[at] ^= (byte)(1 << random.Next(8));
            epoch.Send(damaged);
            string state = epoch.Compare();
            Assert.True(state == "old", $"byte {at} of {damaged.Length} is {damaged[at]:x2} instead of {epoch.Bytes[at]:x2}: {state}");
            damaged[at] = epoch.Bytes[at];
        }

        Assert.Equal(ColoMessage.VmstateLoaded, epoch.Send(damaged)[^1]);
        Assert.Equal("new", epoch.Compare());
    }

    [KvmFact]
    public void OldEpoch_StillRunsAfterACut()
    {
        using RecordedEpoch epoch = new("chain.elf", Append, memoryMiB: 3);
        for (int part = 1; part < 20; part++)
        {
            epoch.Send(epoch.Bytes.AsMemory(0, epoch.Bytes.Length * part / 20));
            Assert.Equal("old", epoch.Compare());
        }

        epoch.Secondary.Machine.EndSpeculation();
        int before = epoch.Secondary.Console.Text.Length;
        epoch.Secondary.Machine.Start();
        epoch.Secondary.Console.Said.WaitForMoreLines(5);
        Assert.True(ChainVectors.For(Append).AssertUnbroken(epoch.Secondary.Console.Text[before..]) >= 4);
    }
}
