using Kvm.Colo.Native.Io;

namespace Kvm.Colo.Devices.Virtio.Rng;

/// <summary>
/// Entropy device (virtio 1.2, section 5.4): fills the guest's buffers from the kernel's generator, at most 64 KiB a request.
/// </summary>
internal sealed class VirtioRng : VirtioDevice
{
    public const uint VirtioId = 4;
    public const ushort QueueSize = 64;
    public const int MaxRequestBytes = 64 * 1024;

    // What one turn on the lock may cost; the rest of the queue comes on the next.
    private const int MaxTurnBytes = 4 * MaxRequestBytes;

    private readonly VirtqueueChain _chain = new(QueueSize);
    private readonly byte[] _entropy = new byte[4096];

    public VirtioRng(VirtioHost host, string name, uint instanceId = 0)
        : base(host, new VirtioIdentity(VirtioId, "virtio-rng", instanceId, name), 0, [QueueSize])
    {
        CurrentState = new VirtioDeviceState(OfferedFeatures, QueueSizes);
        StagedState = new VirtioDeviceState(OfferedFeatures, QueueSizes);
    }

    protected override VirtioDeviceState CurrentState { get; }

    protected override VirtioDeviceState StagedState { get; }

    /// <summary>There is no configuration space.</summary>
    public override void ReadConfiguration(int offset, Span<byte> data) => data.Clear();

    protected override void OnNotify(int queue)
    {
        Virtqueue requests = Queue(0);
        int left = MaxTurnBytes;
        do
        {
            while (left > 0 && TryTake(requests, _chain))
            {
                int length = (int)Math.Min(_chain.WritableBytes, MaxRequestBytes);
                for (int done = 0; done < length;)
                {
                    Span<byte> part = _entropy.AsSpan(0, Math.Min(_entropy.Length, length - done));
                    NativeFile.FillRandom(part);
                    done += _chain.Write(Memory, (ulong)done, part);
                }

                requests.Push(_chain.Head, (uint)length);
                left -= Math.Max(length, VirtqDescriptor.SizeBytes);
            }
        }
        while (left > 0 && TryRearm(requests));

        Publish(requests);
        if (left <= 0)
            Reschedule(0);
    }
}
