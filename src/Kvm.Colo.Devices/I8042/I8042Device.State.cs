using Kvm.Colo.Stream;

namespace Kvm.Colo.Devices.I8042;

// The device's part in a save and a load.
internal sealed partial class I8042Device : IStateOwner
{
    private readonly I8042State _current = new();
    private readonly I8042State _staged = new();

    public string Name => "i8042";

    public uint InstanceId => 0;

    public uint Version => 1;

    public DeviceState Current => _current;

    public DeviceState Staged => _staged;

    public void Capture()
    {
        lock (_lock)
        {
            _current.CommandByte = _commandByte;
            _current.OutputPort = _outputPort;
            _current.Status = _status;
            _current.Output = _output;
            _current.PendingCommand = _pendingCommand;
        }
    }

    public string? Apply()
    {
        lock (_lock)
        {
            _commandByte = _staged.CommandByte;
            _outputPort = _staged.OutputPort;
            _status = _staged.Status;
            _output = _staged.Output;
            _pendingCommand = _staged.PendingCommand;
        }

        return null;
    }
}
