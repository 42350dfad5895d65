using Xunit;

namespace Kvm.Colo.Machine.Tests.Acpi;

/// <summary>
/// A fact that needs Intel's ACPI compiler on the PATH (Debian package acpica-tools); skipped, saying so, without it.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FactRequiresIaslAttribute : FactAttribute
{
    public FactRequiresIaslAttribute()
    {
        if (Find() is null)
            Skip = "iasl is not installed (Debian package acpica-tools)";
    }

    public static string? Find()
    {
        foreach (string directory in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'))
        {
            string path = Path.Combine(directory, "iasl");
            if (File.Exists(path))
                return path;
        }

        return null;
    }
}
