namespace Kvm.Colo.Stream.Tests;

/// <summary>One field of every kind, a group and two subsections.</summary>
internal sealed class SampleState : DeviceState
{
    public const int MaxQueues = 4;

    private byte _u8;
    private ushort _u16;
    private uint _u32;
    private ulong _u64;
    private int _i32;
    private long _i64;
    private bool _flag;
    private int _variableLength;
    private int _queueCount;
    private ushort _extra;
    private uint _late;

    public byte[] Fixed { get; } = new byte[5];

    public byte[] Variable { get; } = new byte[16];

    public uint[] Words { get; } = new uint[3];

    public ulong[] Longs { get; } = new ulong[2];

    public ushort[] QueueIndexes { get; } = new ushort[MaxQueues];

    public bool HasExtra { get; set; }

    public bool HasLate { get; set; }

    public ulong U64 => _u64;

    public string? Complaint { get; set; }

    public static SampleState Filled(int seed)
    {
        var random = new Random(seed);
        var state = new SampleState
        {
            _u8 = (byte)random.Next(),
            _u16 = (ushort)random.Next(),
            _u32 = (uint)random.NextInt64(),
            _u64 = (ulong)random.NextInt64(),
            _i32 = -random.Next(),
            _i64 = -random.NextInt64(),
            _flag = (seed & 1) != 0,
            _variableLength = random.Next(17),
            _queueCount = random.Next(MaxQueues + 1),
            _extra = (ushort)random.Next(),
            _late = (uint)random.Next(),
            HasExtra = (seed & 2) != 0,
            HasLate = (seed & 4) != 0,
        };
        random.NextBytes(state.Fixed);
        random.NextBytes(state.Variable);
        for (int index = 0; index < state.Words.Length; index++)
            state.Words[index] = (uint)random.Next();
        for (int index = 0; index < state.Longs.Length; index++)
            state.Longs[index] = (ulong)random.NextInt64();
        for (int index = 0; index < MaxQueues; index++)
            state.QueueIndexes[index] = (ushort)random.Next();
        return state;
    }

    public override void Visit(StateVisitor v)
    {
        v.U8("u8", ref _u8);
        v.U16("u16", ref _u16);
        v.U32("u32", ref _u32);
        v.U64("u64", ref _u64);
        v.I32("i32", ref _i32);
        v.I64("i64", ref _i64);
        v.Bool("flag", ref _flag);
        v.Bytes("fixed", Fixed);
        v.VariableBytes("variable", Variable, ref _variableLength);
        v.U32Array("words", Words);
        v.U64Array("longs", Longs);
        v.Count("queue_count", ref _queueCount, MaxQueues);
        for (int index = 0; index < _queueCount; index++)
        {
            v.Group("queues", index);
            v.U16("index", ref QueueIndexes[index]);
            v.EndGroup();
        }

        if (HasExtra = v.Subsection("sample/extra", 1, HasExtra))
        {
            v.U16("extra", ref _extra);
            v.EndSubsection();
        }

        if (HasLate = v.Subsection("sample/late", 3, HasLate))
        {
            v.U32("late", ref _late);
            v.EndSubsection();
        }
    }

    public override string? Validate() => Complaint;
}
