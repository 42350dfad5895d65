using Xunit;

namespace Kvm.Colo.TestKit;

/// <summary>A test that needs KVM on VMX or SVM, such as the dirty ring; skipped with the reason on a software KVM.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FullKvmFactAttribute : FactAttribute
{
    public FullKvmFactAttribute() => Skip = KvmHost.FullKvmSkipReason;
}
