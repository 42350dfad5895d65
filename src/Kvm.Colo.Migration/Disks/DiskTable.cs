using System.Runtime.InteropServices;
using Kvm.Colo.Block;
using Kvm.Colo.Machine;
using Kvm.Colo.Native;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Disks;

/// <summary>The disks of this side and how the stream describes them.</summary>
internal sealed class DiskTable
{
    public DiskTable(VirtualMachine machine)
    {
        Nodes = machine.Io.Disks;
        Descriptors = [.. Nodes.Select(static disk => new DiskDescriptor(disk.Name, disk.CapacityBytes, disk.IsReadOnly))];
        HasWritable = Nodes.Any(static disk => !disk.IsReadOnly);
        ScratchFolder = machine.Config.Disks.Count > 0 ? ScratchFile.FolderFor(machine.Config.Disks[0].Path) : Path.GetTempPath();
    }

    public IReadOnlyList<ReplicatedDisk> Nodes { get; }

    public IReadOnlyList<DiskDescriptor> Descriptors { get; }

    public bool HasWritable { get; }

    /// <summary>Where what does not fit into memory goes.</summary>
    public string ScratchFolder { get; }

    public ReplicatedDisk this[int index] => Nodes[index];

    /// <summary>Fails the session when an image of this side does not work.</summary>
    /// <exception cref="MigrationException">It does not.</exception>
    public void Check(int disk, string what, Errno result)
    {
        if (result != Errno.None)
            throw new MigrationException(new NativeException($"disk '{Nodes[disk].Name}' of this side cannot be {what}", result).Message);
    }

    /// <summary>One hash over the content of all writable images, as they are beneath any overlay; nothing writes them meanwhile.</summary>
    public UInt128 Hash(byte[] buffer, Action? proving)
    {
        StreamDigest digest = new(0);
        for (int i = 0; i < Nodes.Count; i++)
        {
            if (Nodes[i].IsReadOnly)
                continue;
            for (ulong at = 0; at < Nodes[i].CapacityBytes; at += (ulong)buffer.Length)
            {
                proving?.Invoke();
                Span<byte> part = buffer.AsSpan(0, (int)Math.Min((ulong)buffer.Length, Nodes[i].CapacityBytes - at));
                Check(i, "read", Nodes[i].Image.Read(at, part));
                UInt128 hash = PageHash.Compute(part, (long)at);
                digest.Append(MemoryMarshal.AsBytes(new ReadOnlySpan<UInt128>(in hash)));
            }
        }

        return digest.Value;
    }
}
