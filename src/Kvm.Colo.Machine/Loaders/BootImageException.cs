namespace Kvm.Colo.Machine.Loaders;

/// <summary>
/// What the user gave cannot be booted; the message is one line that says what is wrong with it (exit status 2).
/// </summary>
internal sealed class BootImageException(string message, Exception? inner = null) : Exception(message, inner);
