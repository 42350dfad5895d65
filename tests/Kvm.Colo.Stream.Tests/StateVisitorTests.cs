using Xunit;

namespace Kvm.Colo.Stream.Tests;

public sealed class StateVisitorTests
{
    [Fact]
    public void Save_IsGolden()
    {
        var state = new SampleState { HasExtra = true };
        state.Fixed[0] = 0xAB;
        state.Words[2] = 7;

        Assert.Equal(
            Frames.Hex(
                "00 0000 00000000 0000000000000000 00000000 0000000000000000 00 ab00000000 00000000"
                + "00000000 00000000 00000007 0000000000000000 0000000000000000 00000000"
                + "05 0c 73616d706c652f6578747261 00000001 0000"),
            Save(state));
    }

    [Fact]
    public void Load_RestoresEveryField_AndDropsAbsentSubsections()
    {
        for (int seed = 0; seed < 64; seed++)
        {
            byte[] saved = Save(SampleState.Filled(seed));
            SampleState loaded = SampleState.Filled(~seed);
            LoadVisitor load = Load(loaded, [.. saved, 0x7E]);

            Assert.Equal((FrameStatus.Ok, saved.Length), (load.Status, load.Position));
            using var compare = new CompareVisitor();
            Assert.True(compare.Compare(loaded, saved), compare.Difference);
            Assert.Equal(saved, Save(loaded));
        }
    }

    [Fact]
    public void Load_NeedsMore_AtEveryTruncation()
    {
        byte[] saved = [.. Save(SampleState.Filled(7)), 0x7E];
        for (int length = 0; length < saved.Length - 1; length++)
            Assert.Equal(FrameStatus.NeedMoreData, Load(new SampleState(), saved[..length]).Status);
    }

    [Fact]
    public void Load_IsMalformed_ForABoolThatIsNone()
    {
        byte[] saved = Save(new SampleState());
        saved[27] = 2;

        LoadVisitor load = Load(new SampleState(), saved);

        Assert.Equal(FrameStatus.Malformed, load.Status);
        Assert.Equal("field 'flag' is neither 0 nor 1", load.Reason);
    }

    [Fact]
    public void Load_IsMalformed_ForALengthOrCountPastItsLimit()
    {
        byte[] variable = Save(new SampleState());
        variable[36] = 17;
        byte[] count = Save(new SampleState());
        count[^1] = SampleState.MaxQueues + 1;

        Assert.Equal("field 'variable' is larger than its limit", Load(new SampleState(), variable).Reason);
        Assert.Equal("field 'queue_count' is larger than its limit", Load(new SampleState(), count).Reason);
    }

    [Fact]
    public void Load_IsMalformed_ForAnotherSubsectionVersion()
    {
        byte[] saved = Save(new SampleState { HasExtra = true });
        saved[^3] = 2;

        Assert.Equal("field 'sample/extra' has another version", Load(new SampleState(), saved).Reason);
    }

    [Fact]
    public void Load_NamesTheElement_WhenAGroupIsCutOff()
    {
        byte[] saved = Save(new SampleState());
        saved[^1] = 2;

        Assert.Equal("field 'queues[1].index' is cut off", Load(new SampleState(), [.. saved, 0, 1]).Reason);
    }

    [Fact]
    public void Load_KeepsTheOldValues_AfterAFailure()
    {
        SampleState state = SampleState.Filled(3);
        ulong before = state.U64;

        Load(state, new byte[10]);

        Assert.Equal(before, state.U64);
    }

    [Fact]
    public void Load_NeverThrows()
    {
        SampleState state = SampleState.Filled(7);
        var load = new LoadVisitor();
        Frames.Fuzz(2, 20_000, Save(state), source =>
        {
            load.Reset(source.ToArray(), 0);
            state.Visit(load);
            return load.Status;
        });
    }

    [Fact]
    public void Compare_NamesTheFirstDifference()
    {
        using var compare = new CompareVisitor();
        var state = new SampleState();
        byte[] other = Save(state);
        other[27] = 1;

        Assert.False(compare.Compare(state, other));
        Assert.Equal("field 'flag': 00, expected 01", compare.Difference);
        Assert.False(compare.Compare(state, Save(new SampleState { HasLate = true })));
        Assert.Equal("21 bytes are left over", compare.Difference);
    }

    internal static byte[] Save(SampleState state) => Frames.Written(buffer => state.Visit(new SaveVisitor(buffer)));

    private static LoadVisitor Load(SampleState state, byte[] source)
    {
        var load = new LoadVisitor();
        load.Reset(source, 0);
        state.Visit(load);
        return load;
    }
}
