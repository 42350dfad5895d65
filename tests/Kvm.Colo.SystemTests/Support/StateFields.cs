using System.Numerics;
using Kvm.Colo.Kvm;
using Kvm.Colo.Machine;
using Kvm.Colo.Machine.Vcpus;
using Kvm.Colo.Stream;

namespace Kvm.Colo.SystemTests.Support;

/// <summary>Takes a device's state apart into named fields, so that two captures of it can be compared but for what time changes.</summary>
internal sealed class StateFields : StateVisitor
{
    private readonly List<(string Name, string Value)> _fields = [];
    private string _prefix = "";
    private uint _msr;
    private bool _inSubsection;

    private StateFields()
    {
    }

    /// <summary>Fields that two moments of a parked guest may disagree on, each with its reason.</summary>
    public static IReadOnlyDictionary<string, string> TimeDependent { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["globalstate.size"] = "compared as the run state itself",
        ["globalstate.runstate"] = "says what a capture interrupted, which the two captures do not share",
        ["cpu.msr 00000010"] = "IA32_TSC counts while the vCPU is parked, and cannot be set on a KVM without TSC offsets",
        ["cpu.lapic"] = "compared register by register",
        ["cpu.lapic register 0a0"] = "the processor priority follows from TPR and ISR, which are compared; KVM brings it up to date when it needs it and at load",
        ["cpu.lapic register 390"] = "the current count of the timer counts down while the vCPU is parked",
        ["kvm-chips.kvmclock"] = "kvmclock goes on from the loaded value",
        ["kvm-chips.pit"] = "count_load_time is a host time, set anew at load; the rest is compared as 'kvm-chips.pit but the times'",
    };

    /// <summary>All fields of all owners as they are now; the vCPUs must be parked.</summary>
    public static IReadOnlyList<(string Name, string Value)> Live(VirtualMachine machine)
    {
        foreach (IStateOwner owner in machine.StateOwners)
            owner.Capture();
        foreach (VcpuThread vcpu in machine.Vcpus)
            vcpu.Vcpu.Save(vcpu.Current);
        return Collect(machine, static owner => owner.Current);
    }

    /// <summary>All fields of all owners as the last epoch brought them.</summary>
    public static IReadOnlyList<(string Name, string Value)> Staged(VirtualMachine machine) => Collect(machine, static owner => owner.Staged);

    /// <summary>The first field that differs and may not, or null.</summary>
    public static string? Difference(IReadOnlyList<(string Name, string Value)> left, IReadOnlyList<(string Name, string Value)> right)
    {
        (string Name, string Value)[] a = Comparable(left);
        (string Name, string Value)[] b = Comparable(right);
        if (a.Length != b.Length)
            return $"{a.Length} fields against {b.Length}";
        for (int i = 0; i < a.Length; i++)
        {
            if (a[i] != b[i])
                return $"{a[i].Name}: {a[i].Value} against {b[i].Name}: {b[i].Value}";
        }

        return null;
    }

    public override void U8(string name, ref byte value) => Add(name, $"{value:x2}");

    public override void U16(string name, ref ushort value) => Add(name, $"{value:x4}");

    public override void U32(string name, ref uint value)
    {
        if (name == "msr_index")
            _msr = value; // part of the value's name: a load moves the TSC deadline to the end of the list
        else
            Add(name, $"{value:x8}");
    }

    public override void U64(string name, ref ulong value) => Add(name == "msr_value" ? $"msr {_msr:x8}" : name, $"{value:x16}");

    public override void I32(string name, ref int value) => Add(name, $"{value:x8}");

    public override void I64(string name, ref long value) => Add(name, $"{value:x16}");

    public override void Bool(string name, ref bool value) => Add(name, $"{value}");

    public override void Bytes(string name, Span<byte> value)
    {
        Add(name, Convert.ToHexStringLower(value));
        if (name == "lapic")
            AddLapicRegisters(value);
        if (name == "pit")
            Add("pit but the times", Convert.ToHexStringLower(WithoutPitTimes(value)));
    }

    public override void VariableBytes(string name, byte[] buffer, ref int length) =>
        Add(name, $"{length}:{Convert.ToHexStringLower(buffer, 0, length)}");

    public override void Count(string name, ref int value, int maximum) => Add(name, $"{value}");

    public override void U32Array(string name, Span<uint> values) => Add(name, string.Join(',', values.ToArray()));

    public override void U64Array(string name, Span<ulong> values) => Add(name, string.Join(',', values.ToArray()));

    // The only subsection so far is serial/epoch-log: what the primary has said since its last cut. A capture takes it out, and
    // neither side keeps it, so its fields are left out.
    public override bool Subsection(string name, uint version, bool needed)
    {
        _inSubsection = needed;
        return needed;
    }

    public override void EndSubsection() => _inSubsection = false;

    private static (string Name, string Value)[] Comparable(IReadOnlyList<(string Name, string Value)> fields) =>
        [.. fields.Where(static field => !TimeDependent.ContainsKey(field.Name)).OrderBy(static field => field.Name, StringComparer.Ordinal)];

    private static List<(string Name, string Value)> Collect(VirtualMachine machine, Func<IStateOwner, DeviceState> select)
    {
        StateFields fields = new();
        foreach (IStateOwner owner in machine.StateOwners)
        {
            fields._prefix = $"{owner.Name}.";
            select(owner).Visit(fields);
        }

        return fields._fields;
    }

    // Without the timer's own request: a timer that ends while its guest is on the way has asked by the time it is loaded.
    private void AddLapicRegisters(ReadOnlySpan<byte> lapic)
    {
        byte[] copy = lapic.ToArray();
        (int word, uint bit) = LapicTimer.RequestOf(LapicTimer.Vector(lapic));
        copy[word + (BitOperations.TrailingZeroCount(bit) / 8)] &= (byte)~(1 << (BitOperations.TrailingZeroCount(bit) % 8));
        for (int at = 0; at < copy.Length; at += 16)
            Add($"lapic register {at:x3}", Convert.ToHexStringLower(copy.AsSpan(at, 4)));
    }

    // struct kvm_pit_state2: three channels of 24 bytes, each ending with the s64 count_load_time; then flags and reserved words.
    private static byte[] WithoutPitTimes(ReadOnlySpan<byte> pit)
    {
        byte[] copy = pit.ToArray();
        for (int channel = 0; channel < 3; channel++)
            copy.AsSpan((channel * 24) + 16, 8).Clear();
        return copy;
    }

    private void Add(string name, string value)
    {
        if (!_inSubsection)
            _fields.Add((_prefix + name, value));
    }
}
