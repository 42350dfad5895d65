using System.Text;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Machine.State;

/// <summary>The run state in which the sending machine was stopped, by its QAPI name, as QEMU's globalstate section carries it.</summary>
internal sealed class GlobalState : DeviceState
{
    private const int NameBytes = 100;
    private readonly byte[] _name = new byte[NameBytes];
    private uint _size = NameBytes;

    /// <summary>The state, null when the name is none of QAPI's.</summary>
    public RunState? RunState
    {
        get
        {
            int end = _name.AsSpan().IndexOf((byte)0);
            ReadOnlySpan<byte> name = end < 0 ? _name : _name.AsSpan(0, end);
            for (RunState state = default; state <= Machine.RunState.Colo; state++)
            {
                if (name.SequenceEqual(RunStateNames.Utf8(state)))
                    return state;
            }

            return null;
        }

        set
        {
            _name.AsSpan().Clear();
            RunStateNames.Utf8(value!.Value).CopyTo(_name);
        }
    }

    public override void Visit(StateVisitor v)
    {
        v.U32("size", ref _size);
        v.Bytes("runstate", _name);
    }

    /// <summary>A guest travels in the states of a whole guest; those of a machine in the middle of something are refused.</summary>
    public override string? Validate() => RunState switch
    {
        null => $"unknown run state '{Encoding.ASCII.GetString(_name).TrimEnd('\0')}'",
        { } state when !RunStateTable.GuestStates.Contains(state) => $"no guest travels in the run state '{state.Name()}'",
        _ => null,
    };
}
