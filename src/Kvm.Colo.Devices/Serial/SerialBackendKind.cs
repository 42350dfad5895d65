namespace Kvm.Colo.Devices.Serial;

/// <summary>The forms of <c>--serial</c>.</summary>
internal enum SerialBackendKind
{
    Null,
    Stdio,
    File,
    UnixConnect,
    UnixListen,
}
