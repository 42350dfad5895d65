using Kvm.Colo.Memory;

namespace Kvm.Colo.Devices.Tests.Virtio.Support;

/// <summary>Compares all RAM before and after: a page that changed must be marked.</summary>
internal static class DirtyCheck
{
    public static void Run(GuestMemory memory, Action action)
    {
        byte[] before = Snapshot(memory);
        memory.DeviceDirty.ClearAll();
        action();
        int changed = 0;
        for (ulong page = 0; page < memory.PageCount; page++)
        {
            bool differs = !memory.Page(page).SequenceEqual(before.AsSpan((int)page * GuestPage.SizeBytes, GuestPage.SizeBytes));
            Assert.True(!differs || memory.DeviceDirty.IsSet(page), $"page {page} changed without a mark");
            changed += differs ? 1 : 0;
        }

        Assert.NotEqual(0, changed);
    }

    private static byte[] Snapshot(GuestMemory memory)
    {
        byte[] copy = new byte[(int)memory.SizeBytes];
        Assert.True(memory.TryRead(new GuestPhysicalAddress(0), copy));
        return copy;
    }
}
