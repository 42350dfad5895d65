namespace Kvm.Colo.Machine.Acpi;

/// <summary>A virtio-mmio transport the guest finds as <c>LNRO0005</c>.</summary>
/// <param name="Start">Its register window, below 4 GiB.</param>
/// <param name="SizeBytes">Length of the window.</param>
/// <param name="Irq">Its input pin of the interrupt controller.</param>
internal readonly record struct AcpiVirtioDevice(uint Start, uint SizeBytes, uint Irq);
