namespace Kvm.Colo.Kvm;

/// <summary>KVM gave up on the guest; for an emulation failure with the bytes of the instruction.</summary>
internal readonly ref struct InternalErrorExit(uint suberror, ReadOnlySpan<byte> instruction)
{
    public const uint Emulation = 1;

    public uint Suberror { get; } = suberror;

    /// <summary>Up to fifteen bytes at RIP, empty when KVM gave none; stale after the next run.</summary>
    public ReadOnlySpan<byte> Instruction { get; } = instruction;
}
