namespace Kvm.Colo.Stream;

/// <summary>Fields of the subsection <c>configuration/colo-vm</c>, version 1, in wire order.</summary>
/// <param name="RequestedFeatures">The session is refused unless the peer accepts all of these.</param>
/// <param name="OfferedFeatures">Used if the peer accepts them; a superset of the requested ones.</param>
/// <param name="SeedPart">This side's random half of the session seed, see <see cref="SessionSeed"/>.</param>
/// <param name="PageSizeBytes">Guest page size.</param>
/// <param name="RamSizeBytes">Sum of all RAM blocks.</param>
/// <param name="VcpuCount">Number of vCPUs.</param>
internal readonly record struct ColoConfiguration(
    ColoFeatures RequestedFeatures,
    ColoFeatures OfferedFeatures,
    UInt128 SeedPart,
    uint PageSizeBytes,
    ulong RamSizeBytes,
    uint VcpuCount)
{
    public const uint Version = 1;
    public const uint MaxVcpuCount = 1024;

    /// <summary>Null when a peer may say so, else what is wrong.</summary>
    public string? Validate()
    {
        if ((RequestedFeatures & ~OfferedFeatures) != 0)
            return $"requested features {RequestedFeatures} are not all offered ({OfferedFeatures})";
        if (PageSizeBytes != RamPageWord.PageSizeBytes)
            return $"page size {PageSizeBytes}, this machine has {RamPageWord.PageSizeBytes}";
        if (RamSizeBytes == 0 || RamSizeBytes % RamPageWord.PageSizeBytes != 0 || RamSizeBytes > RamBlockTable.MaxRamBytes)
            return $"RAM size {RamSizeBytes} is not a whole number of pages within the limit";
        if (VcpuCount is 0 or > MaxVcpuCount)
            return $"{VcpuCount} vCPUs";
        return null;
    }
}
