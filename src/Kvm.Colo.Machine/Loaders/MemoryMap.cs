using Kvm.Colo.Memory;

namespace Kvm.Colo.Machine.Loaders;

/// <summary>The memory map of the machine as every boot protocol reports it.</summary>
internal static class MemoryMap
{
    /// <summary>Conventional memory, the firmware area, and the rest of each slot.</summary>
    public static IReadOnlyList<MemoryMapEntry> Build(GuestMemory memory)
    {
        List<MemoryMapEntry> map =
        [
            new(0, BootLayout.LowRamEnd, MemoryMapType.Ram),
            new(BootLayout.LowRamEnd, BootLayout.HighRam - BootLayout.LowRamEnd, MemoryMapType.Reserved),
        ];
        foreach (MemorySlot slot in memory.Slots)
        {
            ulong start = slot.Start.Value == 0 ? BootLayout.HighRam : slot.Start.Value;
            ulong end = slot.Start.Value + slot.SizeBytes;
            if (end > start)
                map.Add(new MemoryMapEntry(start, end - start, MemoryMapType.Ram));
        }

        return map;
    }
}
