using System.Buffers.Binary;
using Kvm.Colo.Kvm;
using Kvm.Colo.Native;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Machine.State;

/// <summary>
/// The CPUID leaves a guest was booted with, each seven little-endian words: function, index, flags, EAX, EBX, ECX, EDX; and the rate of
/// its time stamp counter. They must be ones this host can honour.
/// </summary>
/// <param name="offered">What this host can give a vCPU.</param>
/// <param name="rate">This host's time stamp counter.</param>
internal sealed class CpuidState(CpuidTable offered, TscRate rate) : DeviceState
{
    private const int LeafBytes = 7 * sizeof(uint);
    private readonly byte[] _leaves = new byte[CpuidTable.MaxEntries * LeafBytes];
    private readonly byte[] _validLeaves = new byte[CpuidTable.MaxEntries * LeafBytes];
    private int _length;
    private int _validLength;
    private uint _tscKhz;
    private uint _validTscKhz;

    /// <summary>0 when the source does not know it.</summary>
    public uint TscKhz
    {
        get => _tscKhz;
        set => _tscKhz = value;
    }

    public void Set(CpuidTable table)
    {
        _length = 0;
        foreach (ref readonly kvm_cpuid_entry2 leaf in table.Entries)
        {
            foreach (uint word in (ReadOnlySpan<uint>)[leaf.function, leaf.index, leaf.flags, leaf.eax, leaf.ebx, leaf.ecx, leaf.edx])
            {
                BinaryPrimitives.WriteUInt32LittleEndian(_leaves.AsSpan(_length), word);
                _length += sizeof(uint);
            }
        }
    }

    /// <summary>The table as it arrived.</summary>
    public CpuidTable Read()
    {
        var entries = new kvm_cpuid_entry2[_length / LeafBytes];
        for (int i = 0; i < entries.Length; i++)
        {
            ReadOnlySpan<byte> leaf = _leaves.AsSpan(i * LeafBytes, LeafBytes);
            entries[i] = new kvm_cpuid_entry2
            {
                function = Word(leaf, 0),
                index = Word(leaf, 1),
                flags = Word(leaf, 2),
                eax = Word(leaf, 3),
                ebx = Word(leaf, 4),
                ecx = Word(leaf, 5),
                edx = Word(leaf, 6),
            };
        }

        return new CpuidTable(entries);
    }

    /// <summary>Whether the leaves are these, without making anything.</summary>
    public bool HasLeavesOf(CpuidState other) => _leaves.AsSpan(0, _length).SequenceEqual(other._leaves.AsSpan(0, other._length));

    public override void Visit(StateVisitor v)
    {
        v.VariableBytes("leaves", _leaves, ref _length);
        v.U32("tsc_khz", ref _tscKhz);
    }

    public override string? Validate()
    {
        if (_length == 0 || _length % LeafBytes != 0)
            return $"{_length} bytes are no table of CPUID leaves";
        if (_tscKhz == _validTscKhz && _leaves.AsSpan(0, _length).SequenceEqual(_validLeaves.AsSpan(0, _validLength)))
            return null; // each epoch brings it again
        CpuidTable wanted = Read();
        if (wanted.Maker != offered.Maker)
            return "the guest's CPU is another maker's";
        if (wanted.PhysicalAddressBits > offered.PhysicalAddressBits)
            return $"the guest uses {wanted.PhysicalAddressBits} bits of physical address, this host has {offered.PhysicalAddressBits}";
        if (!rate.CanShow(_tscKhz))
            return $"the guest's time stamp counter runs at {_tscKhz} kHz, this host's at {rate.Khz} kHz, and its processor cannot scale it";
        IReadOnlyList<string> missing = CpuidFeatures.Missing(wanted, offered);
        if (missing.Count != 0)
            return $"the guest uses CPU features this host lacks: {string.Join(", ", missing)}";
        _leaves.AsSpan(0, _length).CopyTo(_validLeaves);
        _validLength = _length;
        _validTscKhz = _tscKhz;
        return null;
    }

    private static uint Word(ReadOnlySpan<byte> leaf, int index) => BinaryPrimitives.ReadUInt32LittleEndian(leaf[(index * sizeof(uint))..]);
}
