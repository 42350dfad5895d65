namespace Kvm.Colo.Qmp;

/// <summary>The error classes a QMP client may tell apart (QAPI <c>QapiErrorClass</c>).</summary>
internal enum QmpErrorClass
{
    GenericError,
    CommandNotFound,
    DeviceNotActive,
    DeviceNotFound,
    KVMMissingCap,
}
