namespace Kvm.Colo.Qmp;

/// <summary>A monitor cannot listen where it was told to: whoever started the machine must act.</summary>
internal sealed class QmpListenException : Exception
{
    public QmpListenException(QmpAddress address, string reason) : base($"cannot listen on {address}: {reason}")
    {
    }

    public QmpListenException(QmpAddress address, Exception inner)
        : base($"cannot listen on {address}: {inner.Message}", inner)
    {
    }
}
