namespace Kvm.Colo.Machine.Loaders;

/// <summary>What the user wants booted.</summary>
internal sealed record BootSource
{
    public required ReadOnlyMemory<byte> Kernel { get; init; }

    /// <summary>Name of the image; Multiboot puts it in front of the command line.</summary>
    public string KernelName { get; init; } = "kernel";

    /// <summary>Initial RAM disk or module; empty for none.</summary>
    public ReadOnlyMemory<byte> Initrd { get; init; }

    public string CommandLine { get; init; } = "";

    /// <summary>Reads the files named on the command line.</summary>
    /// <exception cref="BootImageException">One of them cannot be used.</exception>
    public static BootSource Read(string kernelPath, string? initrdPath, string? commandLine) => new()
    {
        Kernel = BootFile.Read(kernelPath, "kernel"),
        KernelName = kernelPath,
        Initrd = initrdPath is null ? default(ReadOnlyMemory<byte>) : BootFile.Read(initrdPath, "initrd"),
        CommandLine = commandLine ?? "",
    };
}
