using Kvm.Colo.Memory;

namespace Kvm.Colo.Migration.Tests.Support;

/// <summary>A dirty log that a test marks itself.</summary>
internal sealed class MarkedLog(ulong pageCount) : IDirtyLog, IDisposable
{
    private readonly PageBitmap _marked = new(pageCount);

    public string Kind => "marked";

    public bool IsLogging => true;

    public void Mark(ulong page) => _marked.Mark(page);

    public void Start()
    {
        // It always logs.
    }

    public void Stop()
    {
        // It always logs.
    }

    public void Harvest(PageBitmap into) => into.TakeFrom(_marked);

    public void OnRingFull(int vcpuIndex)
    {
        // No ring.
    }

    public void Dispose() => _marked.Dispose();
}
