using Xunit;

namespace Kvm.Colo.Machine.Tests.Loaders;

/// <summary>A fact about a file that an environment variable names; skipped, saying so, when it is not set.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FactRequiresFileAttribute : FactAttribute
{
    public FactRequiresFileAttribute(string variable)
    {
        Variable = variable;
        if (!File.Exists(Environment.GetEnvironmentVariable(variable)))
            Skip = $"{variable} names no file";
    }

    public string Variable { get; }
}
