namespace Kvm.Colo.Machine.Acpi;

/// <summary>One encoded expression or data object of ACPI machine language; made by <see cref="Aml"/> only.</summary>
internal readonly record struct AmlValue(ReadOnlyMemory<byte> Bytes);
