using Kvm.Colo.Machine;
using Kvm.Colo.Machine.Control;
using Kvm.Colo.Memory;
using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Kvm.Colo.SystemTests;

/// <summary>
/// A replica that is brought up to date with the pages the dirty log names, and compared with all of RAM: a page the log forgot stays
/// different. The guest's vCPUs and a device thread write all the while.
/// </summary>
[Trait("Category", "RequiresKvm")]
public class DirtyTests(ITestOutputHelper output)
{
    private const int Epochs = 300;

    // The last MiB of RAM is the device thread's: the guests' heaps reach there, but these guests take less.
    private const ulong MemoryMiB = 16;
    private const ulong DevicePages = 256;

    [KvmTheory]
    [InlineData("dirty.elf", "pages=300 set=600 tick=0", 1)]
    [InlineData("dirty.elf", "pages=32 set=600 tick=1 fill=1 random=1", 1)]
    [InlineData("chain.elf", "report=20000", 1)]
    [InlineData("smp.elf", "loop=1 cpus=2", 2)]
    public void Bitmap_NamesEveryPageThatChanged(string image, string append, int cpus) => Track(image, append, cpus, DirtyTracking.Bitmap);

    [FullKvmFact]
    [Trait("Category", "FullKvm")]
    public void Ring_NamesEveryPageThatChanged()
    {
        Track("dirty.elf", "pages=300 set=600 tick=0", 1, DirtyTracking.Ring);
        Track("chain.elf", "report=20000", 1, DirtyTracking.Ring);
        Track("smp.elf", "loop=1 cpus=2", 2, DirtyTracking.Ring);
    }

    private void Track(string image, string append, int cpus, DirtyTracking tracking)
    {
        using TestMachine vm = new(image, append, MemoryMiB, cpus, adjust: config => config with { DirtyTracking = tracking });
        Replica replica = new(vm.Machine);
        vm.Machine.Start();
        vm.Console.WaitFor(" start");
        bool stop = false;
        TestThread writer = TestThread.Start("device", () => WriteLikeADevice(vm.Machine.Memory, replica.DeviceLock, ref stop));
        try
        {
            for (int epoch = 0; epoch < Epochs; epoch++)
            {
                if (epoch % 50 == 0)
                    replica.Begin(); // tracking is switched off and on again while the vCPUs run
                else
                    replica.HarvestLive();
                vm.Machine.Cut(replica, RunState.Colo);
                Assert.True(replica.Difference is null, $"epoch {epoch}: {replica.Difference}");
            }
        }
        finally
        {
            Volatile.Write(ref stop, true);
            writer.Join(TimeSpan.FromSeconds(10));
        }

        output.WriteLine($"{image}: {replica.PagesCopied} pages in {Epochs} epochs by the {vm.Machine.DirtyLog.Kind}, of {vm.Machine.Memory.PageCount}");
        Assert.True(replica.PagesCopied > Epochs, "the guest wrote nothing");
    }

    private static void WriteLikeADevice(GuestMemory memory, Lock deviceLock, ref bool stop)
    {
        Random random = new(3);
        Span<byte> bytes = stackalloc byte[64];
        while (!Volatile.Read(ref stop))
        {
            lock (deviceLock)
            {
                random.NextBytes(bytes);
                ulong page = memory.PageCount - DevicePages + (ulong)random.Next((int)DevicePages - 1);
                memory.TryWrite(new GuestPhysicalAddress((page << GuestPage.Shift) + (ulong)random.Next(GuestPage.SizeBytes)), bytes);
            }

            Thread.Yield();
        }
    }

    private sealed class Replica(VirtualMachine machine) : IPauseWork
    {
        private readonly byte[] _copy = new byte[machine.Memory.SizeBytes];
        private readonly PageBitmap _dirty = new(machine.Memory.PageCount);
        private bool _whole;

        public Lock DeviceLock { get; } = new();

        public string? Difference { get; private set; }

        public long PagesCopied { get; private set; }

        public void Begin()
        {
            machine.DirtyLog.Stop();
            machine.DirtyLog.Start();
            _whole = true;
        }

        // The pages are copied while the guest writes on: what changes after the harvest must be named by the next one.
        public void HarvestLive()
        {
            Harvest();
            CopyDirty();
        }

        public void OnPaused()
        {
            lock (DeviceLock)
            {
                Harvest();
                if (_whole)
                    _dirty.SetAll();
                _whole = false;
                CopyDirty();
                Difference = FindDifference();
            }
        }

        private void Harvest()
        {
            machine.DirtyLog.Harvest(_dirty);
            _dirty.TakeFrom(machine.Memory.DeviceDirty);
        }

        private void CopyDirty()
        {
            for (ulong page = _dirty.NextSet(0); page < _dirty.PageCount; page = _dirty.NextSet(page + 1))
            {
                machine.Memory.Page(page).CopyTo(Copied(page));
                PagesCopied++;
            }

            _dirty.ClearAll();
        }

        private string? FindDifference()
        {
            for (ulong page = 0; page < machine.Memory.PageCount; page++)
            {
                if (!machine.Memory.Page(page).SequenceEqual(Copied(page)))
                    return $"page {page} changed and was not named";
            }

            return null;
        }

        private Span<byte> Copied(ulong page) => _copy.AsSpan((int)(page << GuestPage.Shift), GuestPage.SizeBytes);
    }
}
