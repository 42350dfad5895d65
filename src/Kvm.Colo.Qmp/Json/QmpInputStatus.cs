namespace Kvm.Colo.Qmp.Json;

/// <summary>What <see cref="QmpMessageReader"/> has after some bytes.</summary>
internal enum QmpInputStatus
{
    /// <summary>All bytes are consumed and nothing is complete.</summary>
    NeedMoreData,

    /// <summary>A JSON value is complete and well formed.</summary>
    Message,

    /// <summary>Something was not JSON; the reader is clean again.</summary>
    Error,
}
