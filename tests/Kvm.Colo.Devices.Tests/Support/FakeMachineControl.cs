namespace Kvm.Colo.Devices.Tests.Support;

/// <summary>Writes down what was asked for, in order.</summary>
internal sealed class FakeMachineControl : IMachineControl
{
    public List<string> Requests { get; } = [];

    public void RequestReset() => Requests.Add("reset");

    public void RequestPowerOff() => Requests.Add("power-off");

    public void RequestExit(byte value) => Requests.Add($"exit {value}");

    public void RequestPanic(byte events) => Requests.Add($"panic {events}");
}
