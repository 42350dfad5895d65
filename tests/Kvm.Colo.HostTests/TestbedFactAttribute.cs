using Xunit;

namespace Kvm.Colo.HostTests;

/// <summary>A test in emulated hosts; skipped, with the reason, only where they cannot be had.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class TestbedFactAttribute : FactAttribute
{
    public TestbedFactAttribute() => Skip = Testbed.SkipReason;
}
