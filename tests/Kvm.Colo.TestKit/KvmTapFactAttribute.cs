using Xunit;

namespace Kvm.Colo.TestKit;

/// <summary>A test that runs a guest with a network card; skipped, with the reason, where /dev/kvm or a tap is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class KvmTapFactAttribute : FactAttribute
{
    public KvmTapFactAttribute() => Skip = KvmHost.SkipReason ?? TapNamespace.Obstacle;
}
