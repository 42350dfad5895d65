namespace Kvm.Colo.Migration;

/// <summary>A migration cannot go on, or a command about one is refused; the message is one line for a person.</summary>
internal sealed class MigrationException(string message) : Exception(message);
