namespace Kvm.Colo.Stream;

/// <summary>The head of one stream element, as a view into the bytes it was read from. A section's body and footer follow;
/// a command is complete; of a description only the length has been read.</summary>
internal readonly ref struct StreamElement
{
    public ElementKind Kind { get; init; }

    public uint SectionId { get; init; }

    /// <summary>Section name of a start or full section.</summary>
    public ReadOnlySpan<byte> Name { get; init; }

    public uint InstanceId { get; init; }

    public uint Version { get; init; }

    public StreamCommand Command { get; init; }

    public ReadOnlySpan<byte> CommandData { get; init; }

    /// <summary>Bytes of JSON that follow a description.</summary>
    public int DescriptionBytes { get; init; }
}
