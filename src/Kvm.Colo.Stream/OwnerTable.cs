namespace Kvm.Colo.Stream;

/// <summary>Checks the owners of a machine's state: legal names, no two of one name and instance.</summary>
internal static class OwnerTable
{
    public static IStateOwner[] Check(IReadOnlyList<IStateOwner> owners)
    {
        var table = new IStateOwner[owners.Count];
        HashSet<(string Name, uint Instance)> seen = [];
        for (int index = 0; index < owners.Count; index++)
        {
            IStateOwner owner = owners[index];
            WireName.ThrowIfIllegal(owner.Name);
            if (owner.Name is RamSectionEncoder.SectionName or EpochTrailer.SectionName)
                throw new ArgumentException($"section name '{owner.Name}' is reserved", nameof(owners));
            if (!seen.Add((owner.Name, owner.InstanceId)))
                throw new ArgumentException($"two owners are called '{owner.Name}' {owner.InstanceId}", nameof(owners));
            table[index] = owner;
        }

        return table;
    }
}
