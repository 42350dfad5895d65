using Kvm.Colo.Native;
using Kvm.Colo.Native.Io;

namespace Kvm.Colo.Block;

/// <content>The operations themselves. A partial transfer goes on where the kernel stopped.</content>
internal sealed partial class RawDisk
{
    private static readonly byte[] s_zeroes = new byte[64 * 1024];

    private Errno Execute(BlockRequest request) => request.Operation switch
    {
        BlockOperation.Read => Transfer(request, isWrite: false),
        BlockOperation.Write => Transfer(request, isWrite: true),
        BlockOperation.Flush => ToErrno(Shim.FlushData(_file)),
        BlockOperation.Discard => Discard(request.OffsetBytes, request.LengthBytes),
        _ => WriteZeroes(request),
    };

    /// <summary>Transfers what needs no waiting: reads the page cache has, writes it takes at once. True when that was all.</summary>
    private bool TryTransferNow(BlockRequest request)
    {
        bool isWrite = request.Operation == BlockOperation.Write;
        if (request.IsDurable || (isWrite ? _writesMayWait : _readsMayWait))
            return false;
        while (request.Vectors.RemainingBytes > 0)
        {
            ulong at = request.OffsetBytes + (request.LengthBytes - request.Vectors.RemainingBytes);
            long done = isWrite
                ? NativeFile.Write(_file, request.Vectors, at, NativeFile.NoWait)
                : NativeFile.Read(_file, request.Vectors, at, NativeFile.NoWait);
            if (done <= 0)
            {
                // A file system without the flag would refuse every time; anything else is the workers' to find out.
                bool isUnsupported = done is -(long)Errno.EOPNOTSUPP or -(long)Errno.EINVAL;
                _writesMayWait |= isUnsupported && isWrite;
                _readsMayWait |= isUnsupported && !isWrite;
                return false;
            }

            request.Vectors.Advance((ulong)done);
        }

        End(request, Errno.None);
        return true;
    }

    private Errno Transfer(BlockRequest request, bool isWrite)
    {
        int flags = isWrite && request.IsDurable ? NativeFile.Durable : 0;
        while (request.Vectors.RemainingBytes > 0)
        {
            ulong at = request.OffsetBytes + (request.LengthBytes - request.Vectors.RemainingBytes);
            long done = isWrite
                ? NativeFile.Write(_file, request.Vectors, at, flags)
                : NativeFile.Read(_file, request.Vectors, at, flags);
            if (done == -(long)Errno.EINTR)
                continue;
            if (done < 0)
                return ToErrno(done);
            if (done == 0)
                return Errno.EIO; // somebody has cut the image short under us
            request.Vectors.Advance((ulong)done);
        }

        return Errno.None;
    }

    /// <summary>Gives the range's blocks back. Section 5.2.6: that is a hint, so a host that cannot do it has not failed.</summary>
    public Errno Discard(ulong offset, ulong length)
    {
        if (length == 0)
            return Errno.None;
        Errno result = ToErrno(Shim.Fallocate(_file, NativeFile.PunchHole, offset, length));
        return result is Errno.EOPNOTSUPP or Errno.ENODEV ? Errno.None : result;
    }

    private Errno WriteZeroes(BlockRequest request)
    {
        if (request.LengthBytes == 0)
            return Errno.None;
        int mode = request.MayUnmap ? NativeFile.PunchHole : NativeFile.ZeroRange;
        Errno result = ToErrno(Shim.Fallocate(_file, mode, request.OffsetBytes, request.LengthBytes));
        if (result is Errno.EOPNOTSUPP or Errno.ENODEV or Errno.EINVAL)
            result = WriteZeroBytes(request.OffsetBytes, request.LengthBytes);
        return result == Errno.None && request.IsDurable ? ToErrno(Shim.FlushData(_file)) : result;
    }

    /// <summary>Fills the span from the disk; waits for the host, beside the requests.</summary>
    public Errno Read(ulong offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            long done = NativeFile.Read(_file, destination, offset);
            if (done == -(long)Errno.EINTR)
                continue;
            if (done <= 0)
                return done == 0 ? Errno.EIO : ToErrno(done);
            destination = destination[(int)done..];
            offset += (ulong)done;
        }

        return Errno.None;
    }

    /// <summary>Writes all of the span; waits for the host, beside the requests.</summary>
    public Errno Write(ulong offset, ReadOnlySpan<byte> source)
    {
        while (!source.IsEmpty)
        {
            long done = NativeFile.Write(_file, source, offset, 0);
            if (done == -(long)Errno.EINTR)
                continue;
            if (done <= 0)
                return done == 0 ? Errno.EIO : ToErrno(done);
            source = source[(int)done..];
            offset += (ulong)done;
        }

        return Errno.None;
    }

    /// <summary>Makes the range read as zeros, and gives its blocks back where the host can.</summary>
    public Errno Zero(ulong offset, ulong length)
    {
        Errno result = ToErrno(Shim.Fallocate(_file, NativeFile.PunchHole, offset, length));
        return result is Errno.EOPNOTSUPP or Errno.ENODEV or Errno.EINVAL ? WriteZeroBytes(offset, length) : result;
    }

    /// <summary>Makes sure that a later write of the range finds room; what the range holds stays. A host that cannot promise it has not failed.</summary>
    public Errno Reserve(ulong offset, ulong length)
    {
        Errno result = ToErrno(Shim.Fallocate(_file, NativeFile.Allocate, offset, length));
        return result is Errno.EOPNOTSUPP or Errno.ENODEV or Errno.EINVAL ? Errno.None : result;
    }

    /// <summary>Everything written is on stable storage afterwards.</summary>
    public Errno FlushNow() => ToErrno(Shim.FlushData(_file));

    private Errno WriteZeroBytes(ulong offset, ulong length)
    {
        while (length > 0)
        {
            ReadOnlySpan<byte> part = s_zeroes.AsSpan(0, (int)Math.Min(length, (ulong)s_zeroes.Length));
            long done = NativeFile.Write(_file, part, offset, 0);
            if (done == -(long)Errno.EINTR)
                continue;
            if (done <= 0)
                return done == 0 ? Errno.EIO : ToErrno(done);
            offset += (ulong)done;
            length -= (ulong)done;
        }

        return Errno.None;
    }

    private static Errno ToErrno(long result) => result >= 0 ? Errno.None : (Errno)(-result);
}
