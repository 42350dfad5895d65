using Kvm.Colo.Cli.Options;
using Kvm.Colo.Devices.Serial;
using Xunit;

namespace Kvm.Colo.Cli.Tests;

public class ConsoleOptionsTests
{
    [Theory]
    [InlineData(null, null, SerialBackendKind.Stdio, null)]
    [InlineData(null, "stdio", SerialBackendKind.Null, SerialBackendKind.Stdio)]
    [InlineData(null, "file:/f", SerialBackendKind.Stdio, SerialBackendKind.File)]
    [InlineData("unix:/s", "stdio", SerialBackendKind.UnixConnect, SerialBackendKind.Stdio)]
    [InlineData("stdio", "unix:/s,server", SerialBackendKind.Stdio, SerialBackendKind.UnixListen)]
    [InlineData("null", "null", SerialBackendKind.Null, SerialBackendKind.Null)]
    internal void Read_GivesTheTerminalToOne(string? serial, string? console, SerialBackendKind wantedSerial, SerialBackendKind? wantedConsole)
    {
        (SerialBackendSpec actual, string text, SerialBackendSpec? actualConsole) = ConsoleOptions.Read(serial, console);

        Assert.Equal(wantedSerial, actual.Kind);
        Assert.Equal(serial ?? (wantedSerial == SerialBackendKind.Null ? "null" : "stdio"), text);
        Assert.Equal(wantedConsole, actualConsole?.Kind);
    }

    [Theory]
    [InlineData("stdio", "stdio")]
    [InlineData("tty", null)]
    [InlineData(null, "tty")]
    [InlineData(null, "")]
    public void Read_RefusesWithOneLine(string? serial, string? console) =>
        Assert.DoesNotContain('\n', Assert.Throws<UsageException>(() => ConsoleOptions.Read(serial, console)).Message);
}
