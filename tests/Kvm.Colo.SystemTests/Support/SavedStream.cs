using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace Kvm.Colo.SystemTests.Support;

/// <summary>
/// The device sections of a stream that was saved to a file, taken apart with nothing but the description at its end: a field the
/// description does not know, or knows in another size, leaves a section that does not end where its footer is.
/// </summary>
internal static class SavedStream
{
    private const byte SectionFull = 4;
    private const byte Footer = 0x7E;

    /// <summary>The content of each device's section, by name and instance.</summary>
    public static IReadOnlyDictionary<string, byte[]> Sections(byte[] stream)
    {
        int description = stream.AsSpan().LastIndexOf("{\"configuration\""u8);
        using JsonDocument json = JsonDocument.Parse(stream.AsMemory(description));
        Dictionary<string, byte[]> sections = [];
        int at = -1;
        foreach (JsonElement device in json.RootElement.GetProperty("devices").EnumerateArray())
        {
            byte[] name = Encoding.ASCII.GetBytes(device.GetProperty("name").GetString()!);
            uint instance = device.GetProperty("instance_id").GetUInt32();
            byte[] head = [(byte)name.Length, .. name, .. BigEndian(instance), .. BigEndian(device.GetProperty("version").GetUInt32())];
            int start = at < 0 ? stream.AsSpan().IndexOf(head) - 5 : at;
            Require(start >= 0 && stream[start] == SectionFull && stream.AsSpan(start + 5).StartsWith(head), $"no section where {device.GetProperty("name")} should be");
            int content = start + 5 + head.Length;
            int end = content + SizeOf(device);
            Require(stream[end] == Footer && stream.AsSpan(end + 1, 4).SequenceEqual(stream.AsSpan(start + 1, 4)), $"{device.GetProperty("name")} does not end at {end}");
            sections.Add($"{device.GetProperty("name")} {instance}", stream[content..end]);
            at = end + 5;
        }

        Require(stream[at] == 0 && at + 6 == description, "something stands between the last device and the description");
        return sections;
    }

    private static int SizeOf(JsonElement state)
    {
        int size = 0;
        foreach (JsonElement field in state.GetProperty("fields").EnumerateArray())
            size += field.GetProperty("size").GetInt32() * (field.TryGetProperty("array_len", out JsonElement count) ? count.GetInt32() : 1);
        if (!state.TryGetProperty("subsections", out JsonElement subsections))
            return size;
        foreach (JsonElement subsection in subsections.EnumerateArray())
        {
            string name = subsection.GetProperty("vmsd_name").GetString()!;
            size += sizeof(byte) + sizeof(byte) + name.Length + sizeof(uint) + SizeOf(subsection); // Subsection, length, name, version
        }

        return size;
    }

    private static byte[] BigEndian(uint value)
    {
        byte[] bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
            throw new InvalidDataException(message);
    }
}
