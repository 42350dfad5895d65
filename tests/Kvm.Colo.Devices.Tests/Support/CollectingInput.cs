using System.Text;
using Kvm.Colo.Devices.Serial;

namespace Kvm.Colo.Devices.Tests.Support;

/// <summary>Takes input up to a limit the test raises, and lets the test wait for it.</summary>
internal sealed class CollectingInput(int limit) : ISerialInput
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly object _lock = new();
    private readonly List<byte> _received = [];
    private int _limit = limit;

    public int Receive(ReadOnlySpan<byte> data)
    {
        lock (_lock)
        {
            int accepted = Math.Min(data.Length, _limit - _received.Count);
            _received.AddRange(data[..accepted]);
            Monitor.PulseAll(_lock);
            return accepted;
        }
    }

    public void Raise(int newLimit)
    {
        lock (_lock)
            _limit = newLimit;
    }

    /// <summary>Waits until that many bytes have come and returns them.</summary>
    public string WaitFor(int count)
    {
        lock (_lock)
        {
            long start = Environment.TickCount64;
            while (_received.Count < count)
            {
                bool inTime = Environment.TickCount64 - start < Deadline.TotalMilliseconds;
                Assert.True(inTime, $"{_received.Count} of {count} bytes came");
                Monitor.Wait(_lock, TimeSpan.FromSeconds(1));
            }

            return Encoding.Latin1.GetString([.. _received]);
        }
    }
}
