using System.Text.Json;

namespace Kvm.Colo.Stream;

/// <summary>The JSON at the end of a plain migration, element <c>06 be32 length json</c>, in the form that QEMU's
/// analyze-migration.py reads.</summary>
internal static class DeviceDescription
{
    /// <summary>Appends the element. The owners' current states must be those that were saved: they decide the subsections.
    /// </summary>
    public static void Write(ChannelBuffer buffer, StreamConfiguration configuration, IReadOnlyList<IStateOwner> owners)
    {
        buffer.WriteU8((byte)ElementKind.Description);
        int length = buffer.Reserve(sizeof(uint));
        int start = buffer.Length;
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            WriteConfiguration(json, configuration);
            json.WriteNumber("page_size"u8, RamPageWord.PageSizeBytes);
            json.WriteStartArray("devices"u8);
            foreach (IStateOwner owner in owners)
                WriteDevice(json, owner);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        buffer.PatchU32(length, (uint)(buffer.Length - start));
    }

    private static void WriteDevice(Utf8JsonWriter json, IStateOwner owner)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, owner.Name);
        json.WriteNumber("instance_id"u8, owner.InstanceId);
        json.WriteString("vmsd_name"u8, owner.Name);
        json.WriteNumber("version"u8, owner.Version);
        var visitor = new DescribeVisitor(json);
        visitor.Begin();
        owner.Current.Visit(visitor);
        visitor.End();
        json.WriteEndObject();
    }

    private static void WriteConfiguration(Utf8JsonWriter json, StreamConfiguration configuration)
    {
        json.WriteStartObject("configuration"u8);
        json.WriteString("vmsd_name"u8, "configuration"u8);
        json.WriteNumber("version"u8, 1);
        var state = new ConfigurationFields(configuration);
        var visitor = new DescribeVisitor(json);
        visitor.Begin();
        state.Visit(visitor);
        visitor.End();
        json.WriteEndObject();
    }

    /// <summary>The configuration section as fields, only to be described.</summary>
    private sealed class ConfigurationFields(StreamConfiguration configuration) : DeviceState
    {
        public override void Visit(StateVisitor v)
        {
            uint length = (uint)configuration.MachineType.Length;
            v.U32("len", ref length);
            v.Bytes("name", new byte[length]);
            if (v.Subsection(StreamConfiguration.UuidSection, 1, configuration.Uuid is not null))
            {
                v.Bytes("uuid", new byte[16]);
                v.EndSubsection();
            }

            if (v.Subsection(StreamConfiguration.ColoSection, ColoConfiguration.Version, configuration.Colo is not null))
                VisitColo(v, configuration.Colo!.Value);
        }

        private static void VisitColo(StateVisitor v, ColoConfiguration colo)
        {
            uint requested = (uint)colo.RequestedFeatures;
            uint offered = (uint)colo.OfferedFeatures;
            uint pageSize = colo.PageSizeBytes;
            ulong ramSize = colo.RamSizeBytes;
            uint vcpus = colo.VcpuCount;
            v.U32("requested_features", ref requested);
            v.U32("offered_features", ref offered);
            v.Bytes("seed_part", new byte[16]);
            v.U32("page_size", ref pageSize);
            v.U64("ram_size", ref ramSize);
            v.U32("vcpus", ref vcpus);
            v.EndSubsection();
        }
    }
}
