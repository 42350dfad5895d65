namespace Kvm.Colo.Native;

/// <summary>The kernel's own spelling of a field that lies inside an anonymous or nested member; the layout test uses it.</summary>
[AttributeUsage(AttributeTargets.Field)]
internal sealed class KernelFieldAttribute(string path) : Attribute
{
    public string Path { get; } = path;
}
