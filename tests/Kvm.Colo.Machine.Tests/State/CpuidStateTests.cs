using Kvm.Colo.Kvm;
using Kvm.Colo.Machine.State;
using Kvm.Colo.Native;
using Kvm.Colo.Stream;
using Xunit;

namespace Kvm.Colo.Machine.Tests.State;

public sealed class CpuidStateTests
{
    [Fact]
    public void Read_GivesBackWhatWasSet()
    {
        CpuidTable table = Table(avx: true);
        CpuidState state = new(table);

        state.Set(table);

        Assert.Equal(table.Entries.ToArray(), state.Read().Entries.ToArray());
        Assert.Null(state.Validate());
    }

    [Fact]
    public void Validate_NamesWhatThisHostLacks()
    {
        CpuidState state = new(Table(avx: false));

        state.Set(Table(avx: true));

        Assert.Equal("the guest uses CPU features this host lacks: avx", state.Validate());
    }

    [Fact]
    public void Validate_TakesAGuestWithFewerFeatures()
    {
        CpuidState state = new(Table(avx: true));

        state.Set(Table(avx: false));

        Assert.Null(state.Validate());
    }

    [Theory]
    [InlineData(0x1234u, 46u, "maker")]
    [InlineData(1u, 48u, "physical address")]
    public void Validate_RefusesAnotherMakerAndMoreMemory(uint maker, uint bits, string reason)
    {
        CpuidState state = new(Table(avx: true));

        state.Set(Table(avx: true, maker, bits));

        Assert.Contains(reason, state.Validate(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(27)]
    [InlineData(29)]
    public void Validate_RefusesHalfALeaf(int length)
    {
        CpuidState state = new(Table(avx: true));
        LoadVisitor load = new();
        load.Reset((byte[])[0, 0, 0, (byte)length, .. new byte[length], 0x7E], 0);

        state.Visit(load);

        Assert.Equal(FrameStatus.Ok, load.Status);
        Assert.Contains("no table", state.Validate(), StringComparison.Ordinal);
    }

    private static CpuidTable Table(bool avx, uint maker = 1, uint bits = 46) => new(
    [
        new kvm_cpuid_entry2 { function = 0, ebx = maker },
        new kvm_cpuid_entry2 { function = 1, ecx = avx ? 1u << 28 : 0 },
        new kvm_cpuid_entry2 { function = 0x8000_0008, eax = bits },
    ]);
}
