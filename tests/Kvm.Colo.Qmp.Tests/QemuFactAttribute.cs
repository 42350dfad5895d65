namespace Kvm.Colo.Qmp.Tests;

/// <summary>A test that needs the stock binary beside ours; skipped, with the reason, where it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class QemuFactAttribute : FactAttribute
{
    public const string Binary = "/usr/bin/qemu-system-x86_64";

    public QemuFactAttribute()
    {
        if (!File.Exists(Binary))
            Skip = $"{Binary} is not installed";
    }
}
