using Xunit;

namespace Kvm.Colo.TestKit;

/// <summary>A theory that runs a guest; skipped with the reason when /dev/kvm cannot be used.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class KvmTheoryAttribute : TheoryAttribute
{
    public KvmTheoryAttribute() => Skip = KvmHost.SkipReason;
}
