namespace Kvm.Colo.Devices.Virtio;

/// <summary>A device that can stand still for a checkpoint. Called by the control loop with the vCPUs parked.</summary>
internal interface IQuiesce
{
    /// <summary>
    /// Stops taking input, completes what is in flight, raises the interrupts of it. True: the device touches neither guest
    /// memory nor its interrupt until <see cref="Resume"/>, and its state may be captured or replaced. False: not within
    /// <paramref name="deadline"/>, and it runs as before. Twice is harmless.
    /// </summary>
    bool TryQuiesce(TimeSpan deadline);

    /// <summary>
    /// Goes on, and looks at every queue once: notifications do not survive a restore. Without a quiesce it does nothing.
    /// </summary>
    void Resume();
}
