namespace Kvm.Colo.Devices.Serial;

/// <summary>A serial backend the user asked for cannot be had; the message says which and why.</summary>
internal sealed class SerialBackendException(string message, Exception? inner = null) : Exception(message, inner);
