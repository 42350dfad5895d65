namespace Kvm.Colo.Stream;

/// <summary>The secret of one session: the primary's half XOR the secondary's half, so that neither side alone chooses it and
/// a guest cannot prepare pages that collide.</summary>
/// <param name="PageHashSeed">Seed of <see cref="PageHash"/>.</param>
/// <param name="DigestSeed">Seed of <see cref="StreamDigest"/>.</param>
internal readonly record struct SessionSeed(long PageHashSeed, long DigestSeed)
{
    public static SessionSeed Combine(UInt128 primaryPart, UInt128 secondaryPart)
    {
        UInt128 seed = primaryPart ^ secondaryPart;
        return new SessionSeed(unchecked((long)(ulong)(seed >> 64)), unchecked((long)(ulong)seed));
    }
}
