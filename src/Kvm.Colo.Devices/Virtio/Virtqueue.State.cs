namespace Kvm.Colo.Devices.Virtio;

/// <content>Saving and loading. Nothing is in flight then, so the two indexes are all there is besides the set-up.</content>
internal sealed partial class Virtqueue
{
    public void Capture(VirtqueueState state)
    {
        state.Size = Size;
        state.IsReady = IsReady;
        state.DescriptorTable = DescriptorTable;
        state.AvailableRing = AvailableRing;
        state.UsedRing = UsedRing;
        state.NextAvailable = _nextAvailable;
        state.NextUsed = _nextUsed;
    }

    /// <summary>Takes over a saved queue, not yet running.</summary>
    public void Apply(VirtqueueState state)
    {
        Size = state.Size;
        IsReady = state.IsReady;
        IsRunning = false;
        DescriptorTable = state.DescriptorTable;
        AvailableRing = state.AvailableRing;
        UsedRing = state.UsedRing;
        SetIndexes(state.NextAvailable, state.NextUsed);
    }
}
