using System.Diagnostics;
using Kvm.Colo.Devices.Tests.Virtio.Console;
using Kvm.Colo.Devices.Tests.Virtio.Net;
using Kvm.Colo.Devices.Tests.Virtio.Support;
using Kvm.Colo.Devices.Virtio;
using Kvm.Colo.Devices.Virtio.Balloon;
using Kvm.Colo.Devices.Virtio.Blk;
using Kvm.Colo.Devices.Virtio.Console;
using Kvm.Colo.Devices.Virtio.Net;
using Kvm.Colo.Devices.Virtio.Rng;
using Kvm.Colo.Memory;
using Xunit.Abstractions;

namespace Kvm.Colo.Devices.Tests.Virtio.Fuzz;

/// <summary>
/// Each device under a hostile guest. The outcome is a device that needs a reset or a request with an error, never an exception,
/// never a write to an unmarked page; and after a reset the device works.
/// </summary>
public sealed class VirtioFuzzTests(ITestOutputHelper output)
{
    private const long Operations = 10_000_000;

    private const long DisturbedAtOnce = 10_000;

    private static readonly VirtioBlkConfig s_disk = new("vda", 0, "serial");
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    // The pages are compared every so many operations.
    private const long SliceOperations = 50_000;

    [Theory]
    [InlineData("rng")]
    [InlineData("blk")]
    [InlineData("net")]
    [InlineData("console")]
    [InlineData("balloon")]
    public void Device_SurvivesTenMillionOperations(string device)
    {
        const int seeds = 10;
        for (int seed = 100; seed < 100 + seeds; seed++)
            Fuzz(device, seed, Operations / seeds);
    }

    // Class 3: one thread of the guest rewrites rings and descriptors while the device reads them on another.
    [Fact]
    public void Device_SurvivesAGuestThatWritesMeanwhile()
    {
        using var node = new FuzzNode(new Random(3), 256 * 1024);
        using var bench = new VirtioBench<VirtioBlk>(host => new VirtioBlk(host, s_disk, node));
        bench.Driver.Start(bench.Driver.OfferedFeatures);
        var hostile = new DeviceFuzzer<VirtioBlk>(bench, new Random(4), 0, static () => { });
        long disturbed = 0;
        bool isEnough = false;
        var guest = new Thread(() =>
        {
            for (; !Volatile.Read(ref isEnough); Interlocked.Add(ref disturbed, DisturbedAtOnce))
                hostile.Disturb(DisturbedAtOnce);
        });
        guest.Start();

        // Until the device has met it, however late a busy host lets either thread work.
        long start = Stopwatch.GetTimestamp();
        while (Interlocked.Read(ref disturbed) < 300_000 || (bench.Device.Faults.Count == 0 && Stopwatch.GetElapsedTime(start) < s_deadline))
        {
            bench.Driver.Notify(0);
            node.ReleaseAll();
            bench.Loop.RunPosted(10);
            if ((bench.Driver.Status & 64) != 0)
            {
                bench.Driver.Status = 0;
                bench.Driver.Negotiate(bench.Driver.OfferedFeatures);
                bench.Driver.SetUpQueue(0);
                bench.Driver.Status = GuestDriver.StatusRunning;
            }
        }

        Volatile.Write(ref isEnough, true);
        guest.Join();
        Assert.Equal(0, bench.Device.UnexpectedExceptions);
        Assert.NotEqual(0, bench.Device.Faults.Count);
    }

    private void Fuzz(string device, int seed, long operations)
    {
        var random = new Random(seed);
        switch (device)
        {
            case "rng":
                using (var bench = new VirtioBench<VirtioRng>(static host => new VirtioRng(host, "rng0")))
                    Run(bench, random, static () => { }, operations);
                break;
            case "blk":
                using (var node = new FuzzNode(random, 256 * 1024))
                using (var bench = new VirtioBench<VirtioBlk>(host => new VirtioBlk(host, s_disk, node)))
                    Run(bench, random, node.ReleaseAll, operations);
                break;
            case "net":
                using (var bench = new NetBench())
                {
                    bench.Wire.KeepsFrames = false;
                    Run(bench.Virtio, random, () => HostEvent(bench, random), operations);
                }

                break;
            case "balloon":
                using (var bench = new VirtioBench<VirtioBalloon>(static host => new VirtioBalloon(host, "balloon0", 0, new VirtioBalloonConfig())))
                    Run(bench, random, () => bench.Device.SetTarget((ulong)random.NextInt64(2 * (long)VirtioBench<VirtioBalloon>.RamBytes)), operations);
                break;
            default:
                using (var backend = new ScriptedBackend())
                using (var bench = new VirtioBench<VirtioConsole>(host => new VirtioConsole(host, "console0", 0, backend)))
                {
                    bench.Device.Start();
                    Run(bench, random, () => HostEvent(backend, random), operations);
                }

                break;
        }
    }

    private void Run<TDevice>(VirtioBench<TDevice> bench, Random random, Action hostEvent, long operations)
        where TDevice : VirtioDevice
    {
        var fuzzer = new DeviceFuzzer<TDevice>(bench, random, bench.Driver.OfferedFeatures, hostEvent);
        int restarts = 0;
        for (long done = 0; done < operations; done += SliceOperations)
            DirtyCheck.Run(bench.Memory, () => restarts += fuzzer.Run(SliceOperations));
        output.WriteLine(
            $"{bench.Device.Name}: {operations} operations, {restarts} resets, {bench.Device.Faults.Count} faults, "
            + $"{bench.Line.Rises} interrupts, {fuzzer.WorkingLooks * DeviceFuzzer<TDevice>.LookInterval} on a working device");
        Assert.Equal(0, bench.Device.UnexpectedExceptions);
        Assert.NotEqual(0, bench.Device.Faults.Count);
        Assert.InRange(bench.Lines.Count, 1, 2 + (int)(operations / 1000));

        hostEvent();
        bench.Memory.TryFill(new GuestPhysicalAddress(0), 0, VirtioBench<TDevice>.RamBytes);
        bench.Driver.Start(0);
        bench.Loop.RunPosted();
        Assert.Equal(GuestDriver.StatusRunning, bench.Driver.Status);
    }

    private static void HostEvent(NetBench bench, Random random)
    {
        if (bench.Wire.Waiting < 16)
            bench.Wire.Arrive(NetBench.Frame(random.Next(2) == 0 ? random.Next(14, 200) : random.Next(65_000)));
        else
            bench.Wire.Arrive();
        if (random.Next(100) == 0)
            bench.Device.SetLink(random.Next(4) != 0);
        if (random.Next(200) == 0)
            bench.Device.Announce();
    }

    private static void HostEvent(ScriptedBackend backend, Random random)
    {
        backend.Written.SetLength(0);
        if (random.Next(2) == 0)
            backend.GiveRoom(random.Next(2000));
        else
            backend.Type("what the user types");
    }
}
