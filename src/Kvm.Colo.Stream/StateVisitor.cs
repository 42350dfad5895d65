namespace Kvm.Colo.Stream;

/// <summary>One operation over the fields of a <see cref="DeviceState"/>. Fields are passed by reference: loading writes them,
/// everything else only reads. Names are literals.</summary>
internal abstract class StateVisitor
{
    public abstract void U8(string name, ref byte value);

    public abstract void U16(string name, ref ushort value);

    public abstract void U32(string name, ref uint value);

    public abstract void U64(string name, ref ulong value);

    public abstract void I32(string name, ref int value);

    public abstract void I64(string name, ref long value);

    /// <summary>One byte, 0 or 1; anything else is malformed.</summary>
    public abstract void Bool(string name, ref bool value);

    /// <summary>A buffer whose size the device's version fixes.</summary>
    public abstract void Bytes(string name, Span<byte> value);

    /// <summary>be32 length and that many bytes, at most <paramref name="buffer"/>'s length.</summary>
    public abstract void VariableBytes(string name, byte[] buffer, ref int length);

    /// <summary>A count for a loop that follows, be32, at most <paramref name="maximum"/>. A failed load leaves the old value, so
    /// that the loop stays bounded.</summary>
    public abstract void Count(string name, ref int value, int maximum);

    public abstract void U32Array(string name, Span<uint> values);

    public abstract void U64Array(string name, Span<ulong> values);

    /// <summary>An optional part, after all fields of its parent: <c>05 u8 n name be32 version fields</c>.</summary>
    /// <param name="name">In full, such as <c>virtio-net/queues</c>.</param>
    /// <param name="version">Its own version.</param>
    /// <param name="needed">Whether the state has it now; a load answers from the stream instead.</param>
    /// <returns>True when its fields and then <see cref="EndSubsection"/> must be visited. Assign it to the flag that
    /// <paramref name="needed"/> comes from, or an absent part stays on from the epoch before.</returns>
    public abstract bool Subsection(string name, uint version, bool needed);

    public abstract void EndSubsection();

    /// <summary>The fields up to <see cref="EndGroup"/> are one element of an array of structures. No bytes of its own: it gives
    /// the fields a place in the description and in messages. Groups do not nest.</summary>
    /// <param name="name">Name of the array, such as <c>queues</c>.</param>
    /// <param name="index">Counts from 0.</param>
    public virtual void Group(string name, int index)
    {
    }

    public virtual void EndGroup()
    {
    }
}
