using Kvm.Colo.Machine.Loaders;
using Kvm.Colo.TestKit;

namespace Kvm.Colo.SystemTests.Support;

/// <summary>The tiny guests, built once per test run from images/.</summary>
internal static class TestImages
{
    private static readonly Lazy<string> s_folder = new(Build);

    public static string Path(string name) => System.IO.Path.Combine(s_folder.Value, name);

    /// <summary>
    /// What the file boots. A *.mb image carries a PVH note beside its Multiboot header, and the note goes first; here the note is
    /// made unknown, so that these images are loaded by the Multiboot loader.
    /// </summary>
    public static BootSource Boot(string name, string append)
    {
        byte[] image = File.ReadAllBytes(Path(name));
        if (name.EndsWith(".mb", StringComparison.Ordinal))
            HidePvhNote(image);
        return new BootSource { Kernel = image, KernelName = name, CommandLine = append };
    }

    public static string RepositoryRoot
    {
        get
        {
            for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(System.IO.Path.Combine(folder.FullName, "Kvm.Colo.sln")))
                    return folder.FullName;
            }

            // Artifacts may lie outside the checkout; then the sources are where this file was compiled.
            return System.IO.Path.GetFullPath(System.IO.Path.Combine(SourceFolder(), "..", "..", ".."));
        }
    }

    private static void HidePvhNote(byte[] image)
    {
        const int TypeOffset = 4; // the name follows the type
        int name = image.AsSpan().IndexOf("\u0012\0\0\0Xen\0"u8);
        image[name] = 0xFF;
        if (image.AsSpan(name + TypeOffset).IndexOf("\u0012\0\0\0Xen\0"u8) >= 0)
            throw new InvalidOperationException("the image has two PVH notes");
    }

    private static string SourceFolder([System.Runtime.CompilerServices.CallerFilePath] string path = "") =>
        System.IO.Path.GetDirectoryName(path)!;

    private static string Build()
    {
        string folder = System.IO.Path.Combine(RepositoryRoot, "out", "images");
        ToolResult result = Tool.Run("make", ["-s", "-C", System.IO.Path.Combine(RepositoryRoot, "images")]);
        return result.ExitCode == 0 ? folder : throw new InvalidOperationException($"make -C images: {result.Error}");
    }
}
