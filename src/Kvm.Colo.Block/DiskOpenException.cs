namespace Kvm.Colo.Block;

/// <summary>A disk image that cannot be used, in one line that says what to do.</summary>
internal sealed class DiskOpenException(string path, string why)
    : IOException($"disk '{path}': {why}")
{
    public string Path { get; } = path;
}
