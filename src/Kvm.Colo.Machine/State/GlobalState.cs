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
            foreach (RunState state in RunStateNames.All)
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

    public override string? Validate() =>
        RunState is null ? $"unknown run state '{Encoding.ASCII.GetString(_name).TrimEnd('\0')}'" : null;
}
