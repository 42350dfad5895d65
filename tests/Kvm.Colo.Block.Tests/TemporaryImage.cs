namespace Kvm.Colo.Block.Tests;

/// <summary>An image file that disappears with the test.</summary>
internal sealed class TemporaryImage : IDisposable
{
    public TemporaryImage(long bytes)
    {
        Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"colo-{Guid.NewGuid():n}.img");
        using FileStream file = File.Create(Path);
        file.SetLength(bytes);
    }

    public string Path { get; }

    public void Dispose() => File.Delete(Path);
}
