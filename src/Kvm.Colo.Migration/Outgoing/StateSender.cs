using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Outgoing;

/// <summary>
/// The device state of an epoch in wire form: be64 size and the blob, or its difference to the last epoch's. Reuses two buffers.
/// Migration thread.
/// </summary>
internal sealed class StateSender : IDisposable
{
    private readonly bool _isDelta;
    private readonly ChannelBuffer _wire = new();
    private readonly DeviceSectionWriter[] _writers;
    private readonly ChannelBuffer[] _blobs;
    private int _turn;

    /// <summary>Owners as the peer lists them; with <paramref name="isDelta"/> only what changed travels.</summary>
    public StateSender(IReadOnlyList<IStateOwner> owners, bool isDelta)
    {
        _isDelta = isDelta;
        _blobs = [new ChannelBuffer(), new ChannelBuffer()];
        _writers = [new DeviceSectionWriter(_blobs[0], owners), new DeviceSectionWriter(_blobs[1], owners)];
    }

    /// <summary>Writes what the owners captured; <paramref name="digest"/> has been fed the epoch's RAM sections.</summary>
    /// <returns>Size and bytes, valid until the next call.</returns>
    public ReadOnlySpan<byte> Encode(StreamDigest digest, ulong epoch, ulong pages)
    {
        ChannelBuffer blob = _blobs[_turn];
        ChannelBuffer previous = _blobs[1 - _turn];
        blob.Reset();
        _writers[_turn].WriteEpoch(digest, epoch, pages);
        _wire.Reset();
        int size = _wire.Reserve(VmstateSize.SizeBytes);
        if (_isDelta)
            BlobDelta.Encode(previous.WrittenSpan, blob.WrittenSpan, _wire);
        else
            _wire.WriteBytes(blob.WrittenSpan);
        _wire.PatchU64(size, (ulong)(_wire.Length - VmstateSize.SizeBytes));
        _turn = 1 - _turn;
        return _wire.WrittenSpan;
    }

    public void Dispose()
    {
        _wire.Dispose();
        foreach (ChannelBuffer blob in _blobs)
            blob.Dispose();
    }
}
