using System.IO.Hashing;

namespace Kvm.Colo.Stream;

/// <summary>Running 128-bit XXH3 over the bytes of one epoch, under the session's secret seed; fed in stream order by whoever
/// sends or receives them. Not for several threads.</summary>
internal sealed class StreamDigest(long seed)
{
    private readonly XxHash128 _hash = new(seed);

    /// <summary>Bytes fed since the last reset.</summary>
    public ulong ByteCount { get; private set; }

    public UInt128 Value => _hash.GetCurrentHashAsUInt128();

    public void Append(ReadOnlySpan<byte> bytes)
    {
        _hash.Append(bytes);
        ByteCount += (ulong)bytes.Length;
    }

    public void Reset()
    {
        _hash.Reset();
        ByteCount = 0;
    }
}
