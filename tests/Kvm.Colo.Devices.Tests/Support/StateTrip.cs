using Kvm.Colo.Stream;

namespace Kvm.Colo.Devices.Tests.Support;

/// <summary>Saves and loads one device's state as the stream would.</summary>
internal static class StateTrip
{
    public static byte[] Save(IStateOwner owner)
    {
        using ChannelBuffer buffer = new();
        owner.Capture();
        owner.Current.Visit(new SaveVisitor(buffer));
        return buffer.WrittenSpan.ToArray();
    }

    public static string? Load(IStateOwner owner, byte[] saved)
    {
        LoadVisitor load = new();
        // In the stream a body is always followed by its section's footer.
        load.Reset((byte[])[.. saved, 0x7E], 0);
        owner.Staged.Visit(load);
        if (load.Status != FrameStatus.Ok)
            return load.Reason;
        Assert.Equal(saved.Length, load.Position);
        return owner.Staged.Validate() ?? owner.Apply();
    }
}
