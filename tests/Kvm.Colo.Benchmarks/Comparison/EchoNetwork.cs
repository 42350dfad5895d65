using System.Diagnostics;
using System.Net;
using Kvm.Colo.Native;
using Kvm.Colo.TestKit;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>
/// A bridge with a tap for each side, and a client that has the guest <c>net</c> send its datagrams back, one after the other: how long an
/// answer takes is how long the guest's output waits. Needs root.
/// </summary>
internal sealed class EchoNetwork : IDisposable
{
    public const string GuestOptions = "address=0x0a080702";
    private const string Bridge = "colobench";
    private const int SizeBytes = 64;
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(2);
    private static readonly string[] s_taps = [Tap("primary"), Tap("secondary")];

    private readonly Tools _tools;
    private readonly EchoClient _client = new(new IPAddress([10, 8, 7, 2]));

    /// <summary>Makes the interfaces.</summary>
    /// <exception cref="InvalidOperationException">That is not possible here.</exception>
    public EchoNetwork(Tools tools)
    {
        _tools = tools;
        Tools.Capture(tools.Script("net-up"), ["--address", "10.8.7.1/24", Bridge, .. s_taps]);
    }

    /// <summary>The interface of a side.</summary>
    public static string Tap(string side) => $"{Bridge}-{side[0]}";

    /// <summary>The times of exchanges over some time, in microseconds. The client stands for another machine: it does not wait behind guests.</summary>
    /// <exception cref="TimeoutException">The guest does not answer.</exception>
    public List<double> Watch(TimeSpan duration)
    {
        List<double> times = [];
        TimeoutException? failure = null;
        // A thread of its own: what this process starts inherits the scheduling of the thread that starts it.
        Thread client = new(() =>
        {
            ThreadScheduling.BecomeUrgent();
            try
            {
                for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < duration;)
                    times.Add(Exchange());
            }
            catch (TimeoutException e)
            {
                failure = e;
            }
        });
        client.Name = "echo-client";
        client.Start();
        client.Join();
        return failure is null ? times : throw failure;
    }

    public void Dispose()
    {
        _client.Dispose();
        Tools.CaptureAny(out _, _tools.Script("net-down"), [Bridge, .. s_taps]);
    }

    private double Exchange()
    {
        long start = Stopwatch.GetTimestamp();
        if (!_client.TryExchange(SizeBytes, s_deadline))
            throw new TimeoutException($"datagram {_client.Number} did not come back in {s_deadline.TotalSeconds:0} s");
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds;
    }
}
