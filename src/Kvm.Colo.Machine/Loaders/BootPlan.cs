namespace Kvm.Colo.Machine.Loaders;

/// <summary>The state of the first vCPU at its first instruction; everything it points at is in guest memory already.</summary>
internal sealed record BootPlan
{
    public required BootProtocol Protocol { get; init; }

    public required BootMode Mode { get; init; }

    /// <summary>RIP; in real mode the offset in <see cref="Code"/>.</summary>
    public required ulong EntryPoint { get; init; }

    public ulong Rax { get; init; }

    public ulong Rbx { get; init; }

    public ulong Rdx { get; init; }

    public ulong Rsi { get; init; }

    /// <summary>RSP and RBP.</summary>
    public ulong StackPointer { get; init; }

    /// <summary>RFLAGS: only the bit that is always set, so interrupts are off.</summary>
    public ulong Flags { get; init; } = 2;

    public required ulong Cr0 { get; init; }

    public ulong Cr3 { get; init; }

    public ulong Cr4 { get; init; }

    public ulong Efer { get; init; }

    public required BootSegment Code { get; init; }

    /// <summary>DS, ES, FS, GS and SS.</summary>
    public required BootSegment Data { get; init; }

    public required BootSegment Task { get; init; }

    public ulong GdtBase { get; init; }

    public ushort GdtLimit { get; init; }

    public ulong IdtBase { get; init; }

    public ushort IdtLimit { get; init; }
}
