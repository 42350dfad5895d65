using System.Diagnostics;

namespace Kvm.Colo.Qmp.Tests;

/// <summary>A test that needs QEMU's own Python library for QMP, <c>qemu.qmp</c>; skipped where Python cannot find it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class QemuPythonFactAttribute : FactAttribute
{
    public QemuPythonFactAttribute()
    {
        if (!IsThere())
            Skip = "Python has no qemu.qmp here (pip install qemu.qmp, or PYTHONPATH with the folder python/ of QEMU's sources)";
    }

    private static bool IsThere()
    {
        try
        {
            using Process python = Process.Start(new ProcessStartInfo("python3", ["-c", "import qemu.qmp"])
            {
                UseShellExecute = false,
                RedirectStandardError = true,
            })!;
            python.StandardError.ReadToEnd();
            python.WaitForExit();
            return python.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
