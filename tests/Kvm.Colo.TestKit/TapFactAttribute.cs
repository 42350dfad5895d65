using Xunit;

namespace Kvm.Colo.TestKit;

/// <summary>A test that makes tap interfaces; skipped, with the reason, where that is not possible.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class TapFactAttribute : FactAttribute
{
    public TapFactAttribute() => Skip = TapNamespace.Obstacle;
}
