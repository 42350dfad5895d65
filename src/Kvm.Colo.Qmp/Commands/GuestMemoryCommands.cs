using Kvm.Colo.Qmp.Hosting;
using Kvm.Colo.Qmp.Schema;
using static Kvm.Colo.Qmp.Schema.QmpCommandThread;
using static Kvm.Colo.Qmp.Schema.QmpMembers;

namespace Kvm.Colo.Qmp.Commands;

/// <summary>The balloon and the VM generation id (QAPI <c>machine.json</c>), with their types and event.</summary>
internal static class GuestMemoryCommands
{
    private static readonly QmpMember<long> s_value = Argument("value", QmpTypes.Int, "what the guest shall have, in bytes");

    private static readonly QmpObject<QmpBalloon> s_balloon = new("BalloonInfo", create: null,
        Field("actual", QmpTypes.Int, (QmpBalloon balloon) => balloon.ActualBytes, "what the guest has now, in bytes"));

    private static readonly QmpObject<Guid> s_guid = new("GuidInfo", create: null,
        Field("guid", QmpTypes.Str, (Guid id) => id.ToString("D")));

    public static readonly QmpEvent<long> Changed = new("BALLOON_CHANGE", "The guest has changed the size of its balloon.",
        new QmpObject<long>("BalloonChangeData", create: null,
            Field("actual", QmpTypes.Int, (long bytes) => bytes, "what the guest has now, in bytes")))
    { RateKey = static _ => "" };

    public static IReadOnlyList<QmpCommand> All { get; } =
    [
        QmpCommand.Query("query-balloon", Snapshot, s_balloon, "How much of its RAM the guest has.",
            static call => call.Host.Devices.Balloon ?? throw NoBalloon()),
        QmpCommand.Action("balloon", ControlLoop,
            "Asks the guest to give RAM back, or lets it have more; BALLOON_CHANGE tells how far it came.", SetBalloon, s_value),
        QmpCommand.Query("query-vm-generation-id", Snapshot, s_guid,
            "The id that changes when the guest is restored from a saved state.",
            static call => call.Host.Devices.GenerationId ?? throw new QmpCommandException("VM Generation ID device not found")),
    ];

    private static void SetBalloon(QmpCall call)
    {
        if (call.Host.Devices.Balloon is null)
            throw NoBalloon();
        long bytes = call.Values.Get(s_value);
        if (bytes <= 0)
            throw QmpErrors.Expects("target", "a size");
        call.Host.Devices.SetBalloon((ulong)bytes);
    }

    private static QmpCommandException NoBalloon() =>
        new(QmpErrorClass.DeviceNotActive, "No balloon device has been activated");
}
