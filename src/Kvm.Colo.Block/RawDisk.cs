using Kvm.Colo.Native;
using Kvm.Colo.Native.Io;

namespace Kvm.Colo.Block;

/// <summary>
/// A raw image: a regular file or a block device, its bytes the guest's bytes, locked while open. What the page cache can do without
/// waiting is done at once on the caller's thread, the rest by named threads that come as they are needed: a slow disk delays nobody but
/// itself, and has as much to do side by side as it can take.
/// </summary>
internal sealed partial class RawDisk : IBlockNode
{
    public const int SectorBytes = 512;
    public const int WorkerLimit = 16;

    private static readonly TimeSpan s_closeDeadline = TimeSpan.FromSeconds(30);
    private readonly SafeDescriptor _file;
    private readonly List<Thread> _workers = new(WorkerLimit);
    private readonly object _lock = new();
    private readonly object _idle = new();
    private BlockRequestQueue _waiting;
    private int _inFlight;
    private int _idleWorkers;
    private bool _closing;
    private bool _readsMayWait;
    private bool _writesMayWait;

    private RawDisk(SafeDescriptor file, string name, ulong capacityBytes, bool isReadOnly)
    {
        _file = file;
        Name = name;
        CapacityBytes = capacityBytes;
        IsReadOnly = isReadOnly;
        AddWorker();
    }

    public string Name { get; }

    public ulong CapacityBytes { get; }

    public bool IsReadOnly { get; }

    public int InFlight => Volatile.Read(ref _inFlight);

    public bool IsCongested => false;

    /// <summary>Opens and locks an image. Many may read it at once; whoever may write it has it alone.</summary>
    /// <param name="path">A regular file or a block device.</param>
    /// <param name="isReadOnly">Whether nobody may write through this node.</param>
    /// <param name="name">What messages and threads call it.</param>
    /// <exception cref="DiskOpenException">Missing, not accessible, neither file nor block device, empty, oddly sized, or in
    /// use.</exception>
    public static RawDisk Open(string path, bool isReadOnly, string name)
    {
        const int readWrite = 2;
        const int nonBlocking = 0x800; // a FIFO must not hang the start; on files and disks it has no effect
        long opened = Shim.Open(path, (isReadOnly ? 0 : readWrite) | nonBlocking, 0);
        if (opened < 0)
            throw new DiskOpenException(path, DescribeOpen((Errno)(-opened), isReadOnly));
        var file = new SafeDescriptor(opened);
        try
        {
            return new RawDisk(file, name, CheckAndLock(file, path, isReadOnly), isReadOnly);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>A disk of zeros beside <paramref name="folder"/>'s files that has no name and takes room only for what is written.</summary>
    /// <exception cref="IOException">The folder takes no file.</exception>
    public static RawDisk CreateScratch(string folder, ulong capacityBytes, string name) =>
        new(ScratchFile.Create(folder, capacityBytes), name, capacityBytes, isReadOnly: false);

    public void Submit(BlockRequest request)
    {
        Interlocked.Increment(ref _inFlight);
        if (Check(request) is var refusal && refusal != Errno.None)
            End(request, refusal);
        else if (request.Operation is not (BlockOperation.Read or BlockOperation.Write) || !TryTransferNow(request))
            Enqueue(request);
    }

    public bool Drain(TimeSpan deadline)
    {
        long start = TimeProvider.System.GetTimestamp();
        lock (_idle)
        {
            while (InFlight > 0)
            {
                TimeSpan left = deadline - TimeProvider.System.GetElapsedTime(start);
                if (left <= TimeSpan.Zero || !Monitor.Wait(_idle, left))
                    return InFlight == 0;
            }
        }

        return true;
    }

    /// <summary>Lets what is in flight finish, ends the threads, flushes and unlocks.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_closing)
                return;
            _closing = true;
            Monitor.PulseAll(_lock);
        }

        foreach (Thread worker in _workers)
        {
            if (!worker.Join(s_closeDeadline))
                throw new TimeoutException($"disk {Name}: requests did not end within {s_closeDeadline.TotalSeconds} s");
        }

        if (!IsReadOnly)
            Shim.FlushData(_file);
        _file.Dispose();
    }

    private static ulong CheckAndLock(SafeDescriptor file, string path, bool isReadOnly)
    {
        long locked = Shim.LockFile(file, isReadOnly ? 0 : 1);
        if (locked == -(long)Errno.EAGAIN)
            throw new DiskOpenException(path, "in use by another VM (stop that VM, or give both readonly=on)");
        long answer = NativeFile.Info(file, out NativeFileKind kind, out ulong size);
        if (answer < 0)
            throw new DiskOpenException(path, new NativeException("stat", (Errno)(-answer)).Message);
        if (kind == NativeFileKind.Other)
            throw new DiskOpenException(path, "neither a regular file nor a block device");
        if (locked < 0)
            throw new DiskOpenException(path, $"cannot be locked: {new NativeException("fcntl", (Errno)(-locked)).Message}");
        if (size == 0)
            throw new DiskOpenException(path, "empty (make it with: truncate -s 1G FILE)");
        if (size % SectorBytes != 0)
            throw new DiskOpenException(path, $"{size} bytes are no whole number of 512-byte sectors (is it a raw image?)");
        return size;
    }

    private static string DescribeOpen(Errno errno, bool isReadOnly) => errno switch
    {
        Errno.ENOENT => "does not exist",
        Errno.EACCES or Errno.EPERM when isReadOnly => "may not be read (check its owner and mode)",
        Errno.EACCES or Errno.EPERM => "may not be read and written (check its owner and mode, or use readonly=on)",
        Errno.EROFS => "lies on a read-only file system (use readonly=on)",
        Errno.EISDIR => "is a directory",
        _ => new NativeException("open", errno).Message,
    };

    private Errno Check(BlockRequest request)
    {
        if (_closing)
            return Errno.ENODEV;
        if (request.Operation == BlockOperation.Flush)
            return Errno.None;
        if (IsReadOnly && request.Operation != BlockOperation.Read)
            return Errno.EROFS;
        bool isTransfer = request.Operation is BlockOperation.Read or BlockOperation.Write;
        return request.OffsetBytes > CapacityBytes
            || request.LengthBytes > CapacityBytes - request.OffsetBytes
            || (request.OffsetBytes | request.LengthBytes) % SectorBytes != 0
            || (isTransfer && request.LengthBytes != request.Vectors.RemainingBytes)
            ? Errno.EINVAL
            : Errno.None;
    }

    private void Enqueue(BlockRequest request)
    {
        lock (_lock)
        {
            if (!_closing)
            {
                _waiting.Add(request);
                if (_waiting.Count <= _idleWorkers || _workers.Count == WorkerLimit || !TryAddWorker())
                    Monitor.Pulse(_lock);
                return;
            }
        }

        End(request, Errno.ENODEV);
    }

    // A host that has no thread left still has those that were there before.
    private bool TryAddWorker()
    {
        try
        {
            AddWorker();
            return true;
        }
        catch (OutOfMemoryException)
        {
            return false;
        }
    }

    private void AddWorker()
    {
        Thread worker = new(Work) { Name = $"disk-{Name}-{_workers.Count}", IsBackground = true };
        worker.Start();
        _workers.Add(worker);
    }

    private void End(BlockRequest request, Errno result)
    {
        request.Complete(result);
        if (Interlocked.Decrement(ref _inFlight) > 0)
            return;
        lock (_idle)
            Monitor.PulseAll(_idle);
    }

    private void Work()
    {
        while (TryDequeue() is { } request)
            End(request, Execute(request));
    }

    private BlockRequest? TryDequeue()
    {
        lock (_lock)
        {
            while (_waiting.Count == 0 && !_closing)
            {
                _idleWorkers++;
                Monitor.Wait(_lock);
                _idleWorkers--;
            }

            return _waiting.TakeFirst();
        }
    }
}
