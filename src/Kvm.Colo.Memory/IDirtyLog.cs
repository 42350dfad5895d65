namespace Kvm.Colo.Memory;

/// <summary>
/// Which pages the guest has written, as KVM knows it. One thread owns <see cref="Start"/>, <see cref="Stop"/> and
/// <see cref="Harvest"/>; <see cref="OnRingFull"/> comes from vCPU threads.
/// </summary>
internal interface IDirtyLog
{
    /// <summary>What is used here: <c>bitmap</c> or <c>ring</c>.</summary>
    string Kind { get; }

    bool IsLogging { get; }

    /// <summary>Starts logging with an empty log.</summary>
    void Start();

    /// <summary>Stops logging and forgets what was not harvested.</summary>
    void Stop();

    /// <summary>
    /// Adds the pages written since the last harvest to <paramref name="into"/> and protects them again. Reading clears: the caller
    /// keeps the set until the peer has acknowledged it. Right while vCPUs run; complete when they are parked.
    /// </summary>
    void Harvest(PageBitmap into);

    /// <summary>A vCPU came back because its ring is full; empties it so that the vCPU can go on.</summary>
    void OnRingFull(int vcpuIndex);
}
