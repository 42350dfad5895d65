using System.Runtime.InteropServices;
using System.Text;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.Native.Tests;

public sealed class LayoutTests
{
    [Fact]
    public void Compiler_AcceptsEveryStructCodeConstantAndErrno()
    {
        ToolResult result = HeaderAsserts.Compile(HeaderAsserts.Source());

        Assert.True(result.ExitCode == 0, result.Error);
    }

    [Fact]
    public void Source_CoversEveryStructFile()
    {
        string source = HeaderAsserts.Source();

        Assert.All(HeaderAsserts.Structs, type => Assert.Contains($"sizeof(struct {type.Name}) ==", source, StringComparison.Ordinal));
        Assert.Contains("offsetof(struct kvm_vcpu_events, exception.injected) == 0", source, StringComparison.Ordinal);
        Assert.Contains("offsetof(struct kvm_segment, base) == 0", source, StringComparison.Ordinal);
        Assert.Contains("KVM_GET_REGS == 2156965505u", source, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sizeof(struct kvm_regs) == 143")]
    [InlineData("offsetof(struct kvm_run, mmio.len) == 44")]
    [InlineData("offsetof(struct kvm_segment, nonsense) == 0")]
    [InlineData("KVM_GET_REGS == 1u")]
    [InlineData("KVM_CAP_IRQCHIP == 1")]
    [InlineData("EINTR == 5")]
    public void Compiler_RefusesAWrongBelief(string condition)
    {
        StringBuilder source = new(HeaderAsserts.Source());
        HeaderAsserts.Assert(source, condition, "the wrong belief");

        ToolResult result = HeaderAsserts.Compile(source.ToString());

        Assert.NotEqual(0, result.ExitCode);
        int lastLine = source.ToString().Count(c => c == '\n');
        string[] errors = [.. result.Error.Split('\n').Where(line => line.Contains(": error: ", StringComparison.Ordinal))];
        Assert.NotEmpty(errors);
        Assert.All(errors, line => Assert.StartsWith($"<stdin>:{lastLine}:", line, StringComparison.Ordinal));
    }

    [Fact]
    public void Structs_AreBlittable()
    {
        // Offsets are asked of the marshaller; for a blittable struct its layout is the managed one. Only a blittable value can be pinned.
        Assert.All(HeaderAsserts.Structs, type => GCHandle.Alloc(Activator.CreateInstance(type), GCHandleType.Pinned).Free());
    }
}
