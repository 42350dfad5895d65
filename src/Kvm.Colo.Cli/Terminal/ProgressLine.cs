using System.Diagnostics;
using Kvm.Colo.Migration;

namespace Kvm.Colo.Cli.Terminal;

/// <summary>
/// How far the transfer of the guest's disks and memory is: one rewritten line on a terminal, else a line a second. Migration threads.
/// </summary>
internal sealed class ProgressLine(bool isQuiet)
{
    private static readonly TimeSpan s_plainInterval = TimeSpan.FromSeconds(1);

    private long _start;
    private long _lastPlain;

    public void OnStatus(MigrationStatus status)
    {
        if (isQuiet)
            return;
        switch (status)
        {
            case MigrationStatus.Active:
                _start = _lastPlain = Stopwatch.GetTimestamp();
                break;
            case MigrationStatus.Colo:
                Messages.Status("");
                Messages.Line($"protected: memory synchronised in {Stopwatch.GetElapsedTime(_start).TotalSeconds:0.00} s");
                break;
            case MigrationStatus.Completed or MigrationStatus.Failed or MigrationStatus.Cancelled:
                Messages.Status("");
                break;
        }
    }

    public void OnProgress(MigrationProgress value)
    {
        if (isQuiet || value.TotalBytes == 0)
            return;
        if (Messages.IsTerminal)
        {
            Messages.Status(Describe(value));
        }
        else if (Stopwatch.GetElapsedTime(_lastPlain) >= s_plainInterval)
        {
            _lastPlain = Stopwatch.GetTimestamp();
            Messages.Line(Describe(value));
        }
    }

    private static string Describe(MigrationProgress value)
    {
        if (value.DiskRemainingBytes > 0)
        {
            double done = 1 - (value.DiskRemainingBytes / (double)value.DiskTotalBytes);
            return $"synchronising disks: {Math.Clamp(100 * done, 0, 100):0} % of {value.DiskTotalBytes >> 20} MiB, {value.TransferredBytes >> 20} MiB sent";
        }

        double left = value.RemainingPages * 4096.0 / value.TotalBytes;
        return $"synchronising memory: {Math.Clamp(100 * (1 - left), 0, 100):0} % of {value.TotalBytes >> 20} MiB, "
            + $"{value.TransferredBytes >> 20} MiB sent, pass {value.Passes}";
    }
}
