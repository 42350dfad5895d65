namespace Kvm.Colo.Machine.Acpi;

/// <summary>One encoded statement or named object of ACPI machine language; made by <see cref="Aml"/> only.</summary>
internal readonly record struct AmlTerm(ReadOnlyMemory<byte> Bytes);
