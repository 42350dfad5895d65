namespace Kvm.Colo.Qmp.Hosting;

/// <summary>
/// The virtual machine as the control socket sees it. A member throws <see cref="QmpCommandException"/> to refuse;
/// any other exception is reported to the client as a GenericError and to the server's log.
/// </summary>
internal interface IQmpHost
{
    IQmpMachine Machine { get; }

    IQmpMigration Migration { get; }

    IQmpColo Colo { get; }

    IQmpDevices Devices { get; }

    /// <summary>Queues work for the control loop, which runs it in order of posting. Never blocks.</summary>
    /// <returns>False when the control loop has ended and will not run it.</returns>
    bool TryPost(Action work);
}
