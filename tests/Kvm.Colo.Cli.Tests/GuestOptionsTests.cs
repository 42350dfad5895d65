using Kvm.Colo.Cli.Options;
using Kvm.Colo.Devices.Virtio.Balloon;
using Kvm.Colo.Kvm;
using Xunit;

namespace Kvm.Colo.Cli.Tests;

public class GuestOptionsTests
{
    [Theory]
    [InlineData(null, null, null)]
    [InlineData("none", null, null)]
    [InlineData("virtio", true, true)]
    [InlineData("virtio,deflate-on-oom=off", false, true)]
    [InlineData("virtio,free-page-reporting=off,deflate-on-oom=on", true, false)]
    public void Balloon_IsAsItWasAskedFor(string? text, bool? deflates, bool? reports)
    {
        VirtioBalloonConfig? expected = deflates is null ? null : new VirtioBalloonConfig(deflates.Value, reports!.Value);

        Assert.Equal(expected, GuestOptions.ReadBalloon(text));
    }

    [Theory]
    [InlineData("")]
    [InlineData("xen")]
    [InlineData("virtio,deflate-on-oom=1")]
    [InlineData("virtio,stats=on")]
    [InlineData("deflate-on-oom=on")]
    public void Balloon_RefusesTheRest(string text) => Assert.Throws<UsageException>(() => GuestOptions.ReadBalloon(text));

    [Fact]
    public void GenerationId_IsGivenOrNewOrNotThere()
    {
        const string Given = "123e4567-e89b-12d3-a456-426614174000";

        Assert.Equal((false, null), GuestOptions.ReadGenerationId(null));
        Assert.Equal((true, null), GuestOptions.ReadGenerationId("auto"));
        Assert.Equal((true, new Guid(Given)), GuestOptions.ReadGenerationId(Given));
        Assert.Throws<UsageException>(() => GuestOptions.ReadGenerationId("{" + Given + "}"));
        Assert.Throws<UsageException>(() => GuestOptions.ReadGenerationId(""));
    }

    [Fact]
    public void Baseline_BoundsTheGuestsRam()
    {
        Assert.Equal(CpuModel.Baseline, GuestOptions.CheckCpu(CpuModel.Baseline, CpuBaseline.MaxMemoryBytes));
        Assert.Equal(CpuModel.Host, GuestOptions.CheckCpu(CpuModel.Host, CpuBaseline.MaxMemoryBytes + 4096));
        Assert.Throws<UsageException>(() => GuestOptions.CheckCpu(CpuModel.Baseline, CpuBaseline.MaxMemoryBytes + 4096));
    }
}
