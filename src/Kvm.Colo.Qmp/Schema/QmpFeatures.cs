namespace Kvm.Colo.Qmp.Schema;

/// <summary>QAPI features of a command, a member or an enum value.</summary>
[Flags]
internal enum QmpFeatures
{
    None = 0,

    /// <summary>May go away.</summary>
    Deprecated = 1,

    /// <summary>May change without notice.</summary>
    Unstable = 2,

    /// <summary>Known, and answered as QEMU answers for a feature that its build lacks; our own feature name.</summary>
    Unsupported = 4,
}
