namespace Kvm.Colo.Cli;

/// <summary>The user asked for something that cannot be; the message is one line (exit status 2).</summary>
internal sealed class UsageException(string message, Exception? inner = null) : Exception(message, inner);
