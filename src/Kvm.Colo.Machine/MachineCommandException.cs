namespace Kvm.Colo.Machine;

/// <summary>A command that the machine cannot obey in its present state; nothing has changed.</summary>
internal sealed class MachineCommandException(string message) : Exception(message);
