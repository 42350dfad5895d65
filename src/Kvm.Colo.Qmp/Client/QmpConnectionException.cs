namespace Kvm.Colo.Qmp.Client;

/// <summary>The connection to a monitor could not be made or has broken, or what came over it was not QMP.</summary>
internal sealed class QmpConnectionException : IOException
{
    public QmpConnectionException(string message) : base(message)
    {
    }

    public QmpConnectionException(string message, Exception inner) : base(message, inner)
    {
    }
}
