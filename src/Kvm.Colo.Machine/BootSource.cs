namespace Kvm.Colo.Machine;

/// <summary>The files a guest boots from and its command line.</summary>
internal sealed record BootSource(string KernelPath, string? InitrdPath, string CommandLine);
