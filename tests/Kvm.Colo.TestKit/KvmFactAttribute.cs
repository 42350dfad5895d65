using Xunit;

namespace Kvm.Colo.TestKit;

/// <summary>A test that runs a guest; skipped with the reason when /dev/kvm cannot be used.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class KvmFactAttribute : FactAttribute
{
    public KvmFactAttribute() => Skip = KvmHost.SkipReason;
}
