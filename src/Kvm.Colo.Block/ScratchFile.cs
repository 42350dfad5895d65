using Kvm.Colo.Native;
using Microsoft.Win32.SafeHandles;

namespace Kvm.Colo.Block;

/// <summary>Files without a name: what is in them goes with the process, and they take room only where they were written.</summary>
internal static class ScratchFile
{
    /// <summary>Where an image's scratch files go: beside it, where there is room for what belongs to it; a device's folder is no such place.</summary>
    public static string FolderFor(string imagePath)
    {
        string full = System.IO.Path.GetFullPath(imagePath);
        return full.StartsWith("/dev/", StringComparison.Ordinal) ? System.IO.Path.GetTempPath() : System.IO.Path.GetDirectoryName(full)!;
    }

    /// <summary>Makes one that reads as zeros.</summary>
    /// <exception cref="IOException">The folder takes no file.</exception>
    public static SafeDescriptor Create(string folder, ulong sizeBytes)
    {
        string path = System.IO.Path.Combine(folder, $".colo-vm-{Guid.NewGuid():N}");
        try
        {
            using SafeFileHandle handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
            File.Delete(path);
            RandomAccess.SetLength(handle, checked((long)sizeBytes));
            SafeDescriptor descriptor = new(handle.DangerousGetHandle());
            handle.SetHandleAsInvalid();
            return descriptor;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"{folder}: {e.Message}", e);
        }
    }
}
