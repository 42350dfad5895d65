namespace Kvm.Colo.Native;

/// <summary>Error numbers of the kernel that are told apart here (asm-generic/errno.h); any other value is still carried.</summary>
internal enum Errno
{
    None = 0,
    EPERM = 1,
    ENOENT = 2,
    EINTR = 4,
    EIO = 5,
    ENXIO = 6,
    EBADF = 9,
    EAGAIN = 11,
    ENOMEM = 12,
    EACCES = 13,
    EFAULT = 14,
    EBUSY = 16,
    EEXIST = 17,
    ENODEV = 19,
    EISDIR = 21,
    EINVAL = 22,
    ENOSPC = 28,
    EROFS = 30,
    EPIPE = 32,
    ENOSYS = 38,
    EBADFD = 77,
    EOPNOTSUPP = 95,
    ENOBUFS = 105,
}
