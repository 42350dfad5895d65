using Kvm.Colo.Stream;

namespace Kvm.Colo.Devices.Generation;

/// <summary>The id the guest last saw, in the byte order of the guest's memory.</summary>
internal sealed class VmGenerationState : DeviceState
{
    public const int IdBytes = 16;

    public readonly byte[] Id = new byte[IdBytes];

    public override void Visit(StateVisitor v) => v.Bytes("guid", Id);
}
