using Kvm.Colo.Stream;

namespace Kvm.Colo.Devices.Tests.Virtio.Support;

/// <summary>A device's section as it travels, and back.</summary>
internal static class SavedState
{
    /// <summary>Captures a quiesced device.</summary>
    public static byte[] Save(IStateOwner device)
    {
        using var buffer = new ChannelBuffer();
        device.Capture();
        new DeviceSectionWriter(buffer, [device]).Write();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Loads into a quiesced device; null, or why not.</summary>
    public static string? Load(IStateOwner device, byte[] section)
    {
        var reader = new DeviceSectionReader([device]);
        return reader.TryRead(section, out _) == FrameStatus.Ok ? reader.Apply() : reader.Reason;
    }
}
