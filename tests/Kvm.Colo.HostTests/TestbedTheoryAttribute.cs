using Xunit;

namespace Kvm.Colo.HostTests;

/// <summary>As <see cref="TestbedFactAttribute"/>, with data.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class TestbedTheoryAttribute : TheoryAttribute
{
    public TestbedTheoryAttribute() => Skip = Testbed.SkipReason;
}
