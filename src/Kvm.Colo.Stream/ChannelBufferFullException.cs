namespace Kvm.Colo.Stream;

/// <summary>This side's own state is larger than the session allows: the checkpoint is given up, the guest keeps
/// running. Never raised by a peer's bytes.</summary>
internal sealed class ChannelBufferFullException(string message) : Exception(message);
