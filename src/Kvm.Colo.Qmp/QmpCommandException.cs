namespace Kvm.Colo.Qmp;

/// <summary>A command failed and the client is told so; thrown by handlers and by hosts, never ends a session.</summary>
internal sealed class QmpCommandException(QmpErrorClass errorClass, string description) : Exception(description)
{
    public QmpCommandException(string description) : this(QmpErrorClass.GenericError, description)
    {
    }

    public QmpErrorClass ErrorClass { get; } = errorClass;
}
