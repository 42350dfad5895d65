namespace Kvm.Colo.Devices.Diagnostics;

/// <summary>
/// The exit port of test guests, as QEMU's isa-debug-exit: a write of V ends the VM with status (V &lt;&lt; 1) | 1.
/// </summary>
internal sealed class DebugExitDevice(IMachineControl control) : IPortDevice
{
    public const ushort Port = 0xF4;
    private const int PortCount = 4;

    public PortRange Ports => new(Port, PortCount, "debug-exit", this);

    public void Read(ushort offset, Span<byte> data) => data.Clear();

    public void Write(ushort offset, ReadOnlySpan<byte> data)
    {
        if (offset == 0)
            control.RequestExit(data[0]);
    }
}
