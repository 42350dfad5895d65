namespace Kvm.Colo.Native.Io;

/// <summary>What a descriptor is open on (colo_file_info).</summary>
internal enum NativeFileKind
{
    Other = 0,
    Regular = 1,
    BlockDevice = 2,
}
