using System.Text.Json;

namespace Kvm.Colo.Qmp.Client;

/// <summary>An event as received.</summary>
/// <param name="Name">Such as STOP.</param>
/// <param name="Data">Undefined when the event has none.</param>
/// <param name="Time">The server's wall clock when it was raised.</param>
/// <param name="Raw">The whole object.</param>
internal sealed record QmpClientEvent(string Name, JsonElement Data, DateTimeOffset Time, JsonElement Raw);
