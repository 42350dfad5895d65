using Kvm.Colo.Devices.Generation;
using Kvm.Colo.Devices.Tests.Support;
using Kvm.Colo.Memory;

namespace Kvm.Colo.Devices.Tests.Generation;

public sealed class VmGenerationDeviceTests : IDisposable
{
    private static readonly GuestPhysicalAddress s_place = new(0xFE000);
    private static readonly Guid s_given = new("00112233-4455-6677-8899-aabbccddeeff");
    private readonly GuestMemory _memory = GuestMemory.Create(2ul << 20);
    private int _notices;

    public void Dispose() => _memory.Dispose();

    [Fact]
    public void Install_WritesTheIdInTheOrderOfTheSpecification()
    {
        VmGenerationDevice device = NewDevice(s_given);

        device.Install();

        Assert.Equal("33221100554477668899AABBCCDDEEFF", Convert.ToHexString(InMemory()));
        Assert.True(_memory.DeviceDirty.IsSet(0xFE));
        Assert.Equal(0, _notices);
    }

    [Fact]
    public void Auto_IsAnotherIdForEachMachine() => Assert.NotEqual(NewDevice(null).Id, NewDevice(null).Id);

    [Fact]
    public void Restore_GivesANewIdAndTellsTheGuest()
    {
        VmGenerationDevice source = NewDevice(null);
        VmGenerationDevice restored = NewDevice(null);
        Move(source, restored);

        restored.OnArrived(isRestore: true);

        Assert.NotEqual(source.Id, restored.Id);
        Assert.Equal(restored.Id.ToByteArray(), InMemory());
        Assert.Equal(1, _notices);
    }

    [Fact]
    public void LiveMove_KeepsTheId()
    {
        VmGenerationDevice source = NewDevice(null);
        VmGenerationDevice target = NewDevice(null);
        Move(source, target);

        target.OnArrived(isRestore: false);

        Assert.Equal(source.Id, target.Id);
        Assert.Equal(0, _notices);
    }

    // As in QEMU: whoever gives another id on the receiving side wants the guest to have it.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void GivenId_IsTheGuestsOnArrival(bool isRestore)
    {
        VmGenerationDevice source = NewDevice(null);
        VmGenerationDevice target = NewDevice(s_given);
        Move(source, target);

        target.OnArrived(isRestore);
        target.OnArrived(isRestore);

        Assert.Equal(s_given, target.Id);
        Assert.Equal(1, _notices);
    }

    [Fact]
    public void SaveLoadSave_IsByteEqual()
    {
        VmGenerationDevice source = NewDevice(s_given);
        VmGenerationDevice target = NewDevice(null);
        byte[] saved = StateTrip.Save(source);

        Assert.Null(StateTrip.Load(target, saved));

        Assert.Equal(saved, StateTrip.Save(target));
    }

    private VmGenerationDevice NewDevice(Guid? id) => new(_memory, new VmGenerationConfig(s_place, id), () => _notices++);

    private static void Move(VmGenerationDevice source, VmGenerationDevice target) =>
        Assert.Null(StateTrip.Load(target, StateTrip.Save(source)));

    private byte[] InMemory()
    {
        byte[] id = new byte[16];
        Assert.True(_memory.TryRead(s_place, id));
        return id;
    }
}
