using Kvm.Colo.Kvm;
using Kvm.Colo.Machine.State;
using Kvm.Colo.Native;
using Kvm.Colo.Stream;
using Xunit;

namespace Kvm.Colo.Machine.Tests.State;

public sealed class CpuidStateTests
{
    private static readonly TscRate s_rate = new(2_000_000, CanScale: false);

    [Fact]
    public void Read_GivesBackWhatWasSet()
    {
        CpuidTable table = Table(avx: true);
        CpuidState state = new(table, s_rate);

        state.Set(table);

        Assert.Equal(table.Entries.ToArray(), state.Read().Entries.ToArray());
        Assert.Null(state.Validate());
    }

    [Fact]
    public void Validate_NamesWhatThisHostLacks()
    {
        CpuidState state = new(Table(avx: false), s_rate);

        state.Set(Table(avx: true));

        Assert.Equal("the guest uses CPU features this host lacks: avx", state.Validate());
    }

    [Fact]
    public void Validate_TakesAGuestWithFewerFeatures()
    {
        CpuidState state = new(Table(avx: true), s_rate);

        state.Set(Table(avx: false));

        Assert.Null(state.Validate());
    }

    [Theory]
    [InlineData(0x1234u, 46u, "maker")]
    [InlineData(1u, 48u, "physical address")]
    public void Validate_RefusesAnotherMakerAndMoreMemory(uint maker, uint bits, string reason)
    {
        CpuidState state = new(Table(avx: true), s_rate);

        state.Set(Table(avx: true, maker, bits));

        Assert.Contains(reason, state.Validate(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(27)]
    [InlineData(29)]
    public void Validate_RefusesHalfALeaf(int length)
    {
        CpuidState state = new(Table(avx: true), s_rate);
        LoadVisitor load = new();
        load.Reset((byte[])[0, 0, 0, (byte)length, .. new byte[length + sizeof(uint)], 0x7E], 0);

        state.Visit(load);

        Assert.Equal(FrameStatus.Ok, load.Status);
        Assert.Contains("no table", state.Validate(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2_004_000u, false, true)]
    [InlineData(1_996_000u, false, true)]
    [InlineData(2_004_001u, false, false)]
    [InlineData(1_995_999u, false, false)]
    [InlineData(uint.MaxValue, false, false)]
    [InlineData(3_000_000u, true, true)]
    [InlineData(0u, false, true)]
    public void Validate_TakesATimeStampCounterItCanShow(uint khz, bool canScale, bool isTaken)
    {
        CpuidState state = new(Table(avx: true), s_rate with { CanScale = canScale });
        state.Set(Table(avx: true));

        state.TscKhz = khz;

        string refusal = $"the guest's time stamp counter runs at {khz} kHz, this host's at 2000000 kHz, and its processor cannot scale it";
        Assert.Equal(isTaken ? null : refusal, state.Validate());
    }

    [Fact]
    public void Visit_CarriesTheTimeStampCountersRate()
    {
        CpuidState source = new(Table(avx: true), s_rate) { TscKhz = 1_999_999 };
        source.Set(Table(avx: true));
        CpuidState target = new(Table(avx: true), s_rate);
        using ChannelBuffer buffer = new();
        source.Visit(new SaveVisitor(buffer));
        LoadVisitor load = new();
        load.Reset(buffer.WrittenMemory, 0);

        target.Visit(load);

        Assert.Equal(1_999_999u, target.TscKhz);
        Assert.True(target.HasLeavesOf(source));
    }

    private static CpuidTable Table(bool avx, uint maker = 1, uint bits = 46) => new(
    [
        new kvm_cpuid_entry2 { function = 0, ebx = maker },
        new kvm_cpuid_entry2 { function = 1, ecx = avx ? 1u << 28 : 0 },
        new kvm_cpuid_entry2 { function = 0x8000_0008, eax = bits },
    ]);
}
