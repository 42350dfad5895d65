namespace Kvm.Colo.Machine.Control;

/// <summary>Something to be carried out on the control loop thread; reusable, so that a checkpoint allocates nothing.</summary>
internal interface IControlWork
{
    /// <summary>Runs on the control loop thread. An exception is handed to whoever invoked the work.</summary>
    void Execute();
}
