using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Kvm.Colo.TestKit;

namespace Kvm.Colo.Native.Tests;

/// <summary>Writes what Kvm.Colo.Native believes about the kernel's headers as C static asserts and lets cc judge them.</summary>
internal static class HeaderAsserts
{
    // A field that stands for the first element of a kernel array; its offset is checked, its size is not.
    private static readonly HashSet<string> s_firstElements =
    [
        "kvm_run.internal_data", // u64 of data[16]
        "kvm_run.emulation_failure_insn_bytes", // u8 of insn_bytes[15]
    ];

    public static IEnumerable<Type> Structs => typeof(Shim).Assembly.GetTypes()
        .Where(type => type.IsValueType && !type.IsEnum && !type.IsNested && type.Name.StartsWith("kvm_", StringComparison.Ordinal))
        .OrderBy(type => type.Name, StringComparer.Ordinal);

    /// <summary>The asserts of every struct, request code, constant and error number.</summary>
    public static string Source()
    {
        StringBuilder text = new("#include <stddef.h>\n#include <errno.h>\n#include <linux/kvm.h>\n#include <asm/kvm.h>\n");
        foreach (Type type in Structs)
            Describe(type, text);
        foreach (FieldInfo code in typeof(KvmIoctl).GetFields(BindingFlags.Public | BindingFlags.Static))
            Assert(text, $"{code.Name} == {code.GetValue(null)}u", $"code {code.Name}");
        foreach (FieldInfo constant in typeof(KvmConstants).GetFields(BindingFlags.Public | BindingFlags.Static))
            Assert(text, $"{constant.Name} == {constant.GetRawConstantValue()}", $"constant {constant.Name}");
        foreach (Errno errno in Enum.GetValues<Errno>().Where(errno => errno != Errno.None))
            Assert(text, $"{errno} == {(int)errno}", $"errno {errno}");
        return text.ToString();
    }

    public static ToolResult Compile(string source) =>
        Tool.Run("cc", ["-std=gnu17", "-fsyntax-only", "-Wall", "-Wno-sign-compare", "-Werror", "-x", "c", "-"], source);

    public static void Assert(StringBuilder text, string condition, string what) =>
        text.Append(CultureInfo.InvariantCulture, $"_Static_assert({condition}, \"{what}\");\n");

    private static void Describe(Type type, StringBuilder text)
    {
        Assert(text, $"sizeof(struct {type.Name}) == {SizeOf(type)}", $"size {type.Name}");
        foreach (FieldInfo field in type.GetFields(BindingFlags.Public | BindingFlags.Instance))
        {
            string path = field.GetCustomAttribute<KernelFieldAttribute>()?.Path ?? field.Name.TrimStart('@');
            string name = $"{type.Name}.{field.Name}";
            Assert(text, $"offsetof(struct {type.Name}, {path}) == {Marshal.OffsetOf(type, field.Name)}", $"offset {name}");
            if (!s_firstElements.Contains(name))
                Assert(text, $"sizeof(((struct {type.Name} *)0)->{path}) == {SizeOf(field)}", $"size {name}");
        }
    }

    private static int SizeOf(FieldInfo field) =>
        field.GetCustomAttribute<FixedBufferAttribute>() is { } buffer ? buffer.Length * SizeOf(buffer.ElementType) : SizeOf(field.FieldType);

    private static int SizeOf(Type type) =>
        (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, null)!;
}
