using System.Buffers;
using System.Text.Json;
using Kvm.Colo.Qmp.Json;
using Kvm.Colo.Qmp.Schema;

namespace Kvm.Colo.Qmp.Protocol;

/// <summary>Makes the line of an event, stamped with the wall clock.</summary>
internal static class QmpEventLine
{
    public static byte[] Write<T>(QmpEvent<T> item, T data, DateTimeOffset when)
    {
        TimeSpan sinceEpoch = when - DateTimeOffset.UnixEpoch;
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, QmpText.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("timestamp"u8);
            writer.WriteNumber("seconds"u8, (long)Math.Floor(sinceEpoch.TotalSeconds));
            writer.WriteNumber("microseconds"u8, sinceEpoch.Ticks / TimeSpan.TicksPerMicrosecond % 1_000_000);
            writer.WriteEndObject();
            writer.WriteString("event"u8, item.Name);
            if (item.Data is not null)
            {
                writer.WritePropertyName("data"u8);
                item.Data.Write(writer, data);
            }
            writer.WriteEndObject();
        }
        return QmpText.ToLine(buffer.WrittenSpan);
    }

    /// <summary>Makes the event that tells a slow client how many it missed.</summary>
    public static Func<ulong, byte[]> Lost(TimeProvider time) => count => Write(QmpEvents.EventsLost, count, time.GetUtcNow());
}
