namespace Kvm.Colo.Devices;

/// <summary>
/// What a device may ask of the machine. Called on a vCPU thread with no device lock held; must only post the request and
/// return, because the machine acts on it after that vCPU has left its exit.
/// </summary>
internal interface IMachineControl
{
    /// <summary>The guest asked for a reset (i8042 pulse, ACPI reset register).</summary>
    void RequestReset();

    /// <summary>The guest switched itself off (ACPI S5).</summary>
    void RequestPowerOff();

    /// <summary>
    /// The guest wrote <paramref name="value"/> to the debug-exit port; the exit status is (value &lt;&lt; 1) | 1.
    /// </summary>
    void RequestExit(byte value);

    /// <summary>The guest reported a panic; <paramref name="events"/> holds the pvpanic event bits it set.</summary>
    void RequestPanic(byte events);
}
