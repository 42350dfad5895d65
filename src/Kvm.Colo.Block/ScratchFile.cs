using Kvm.Colo.Native;
using Microsoft.Win32.SafeHandles;

namespace Kvm.Colo.Block;

/// <summary>Files without a name: what is in them goes with the process, and they take room only where they were written.</summary>
internal static class ScratchFile
{
    /// <summary>Where an image's scratch files go: beside it, where there is room for what belongs to it; a device's folder is no such place.</summary>
    public static string FolderFor(string imagePath)
    {
        string full = Path.GetFullPath(imagePath);
        return full.StartsWith("/dev/", StringComparison.Ordinal) ? Path.GetTempPath() : Path.GetDirectoryName(full)!;
    }

    /// <summary>Makes an empty one.</summary>
    /// <exception cref="IOException">The folder takes no file.</exception>
    public static SafeFileHandle Create(string folder)
    {
        string path = Path.Combine(folder, $".colo-vm-{Guid.NewGuid():N}");
        try
        {
            SafeFileHandle handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
            File.Delete(path);
            return handle;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"{folder}: {e.Message}", e);
        }
    }

    /// <summary>Makes one that reads as that many zeros.</summary>
    /// <exception cref="IOException">The folder takes no file, or none of that size.</exception>
    public static SafeDescriptor Create(string folder, ulong sizeBytes)
    {
        using SafeFileHandle handle = Create(folder);
        RandomAccess.SetLength(handle, checked((long)sizeBytes));
        SafeDescriptor descriptor = new(handle.DangerousGetHandle());
        handle.SetHandleAsInvalid();
        return descriptor;
    }
}
