using System.Text.Json;
using Xunit;

namespace Kvm.Colo.Stream.Tests;

public sealed class DeviceDescriptionTests
{
    private static readonly StreamConfiguration s_configuration = new() { MachineType = "colo-1", Uuid = Guid.Empty };

    [Fact]
    public void Write_GivesAFramedJsonDocument()
    {
        byte[] element = Frames.Written(buffer => DeviceDescription.Write(buffer, s_configuration, []));

        Assert.Equal(FrameStatus.Ok, ElementCodec.TryRead(element, out StreamElement head, out int consumed));
        Assert.Equal((ElementKind.Description, element.Length - 5), (head.Kind, head.DescriptionBytes));
        using JsonDocument json = JsonDocument.Parse(element.AsMemory(consumed));
        Assert.Equal(
            ("{'configuration':{'vmsd_name':'configuration','version':1,"
                + "'fields':[{'name':'len','type':'uint32','size':4},{'name':'name','type':'buffer','size':6}],"
                + "'subsections':[{'vmsd_name':'configuration/uuid','version':1,"
                + "'fields':[{'name':'uuid','type':'buffer','size':16}]}]},'page_size':4096,'devices':[]}").Replace('\'', '"'),
            json.RootElement.GetRawText());
    }

    [Fact]
    public void Write_DescribesExactlyTheBytesOfASave()
    {
        for (int seed = 0; seed < 16; seed++)
        {
            var owner = new SampleOwner("sample", 3, SampleState.Filled(seed));
            byte[] element = Frames.Written(buffer => DeviceDescription.Write(buffer, s_configuration, [owner]));
            using JsonDocument json = JsonDocument.Parse(element.AsMemory(5));

            JsonElement device = json.RootElement.GetProperty("devices")[0];

            Assert.Equal("sample", device.GetProperty("name").GetString());
            Assert.Equal(3, device.GetProperty("instance_id").GetInt32());
            Assert.Equal(2, device.GetProperty("version").GetInt32());
            Assert.Equal(StateVisitorTests.Save((SampleState)owner.Current).Length, BytesOf(device));
        }
    }

    [Fact]
    public void Write_RefusesAFieldBehindASubsection() =>
        Assert.Throws<InvalidOperationException>(
            () => Frames.Written(buffer => Describe(buffer, new FieldBehindSubsection())));

    private static void Describe(ChannelBuffer buffer, DeviceState state)
    {
        using var json = new Utf8JsonWriter(buffer);
        var visitor = new DescribeVisitor(json);
        json.WriteStartObject();
        visitor.Begin();
        state.Visit(visitor);
    }

    /// <summary>Sums sizes as a reader of the description walks the stream.</summary>
    private static int BytesOf(JsonElement structure)
    {
        int bytes = 0;
        int group = 0;
        foreach (JsonElement field in structure.GetProperty("fields").EnumerateArray())
        {
            int size = field.GetProperty("size").GetInt32();
            if (field.TryGetProperty("struct", out JsonElement nested))
            {
                Assert.Equal(group++, field.GetProperty("index").GetInt32());
                Assert.Equal(size, BytesOf(nested));
            }

            bytes += field.TryGetProperty("array_len", out JsonElement count) ? size * count.GetInt32() : size;
        }

        if (!structure.TryGetProperty("subsections", out JsonElement subsections))
            return bytes;
        foreach (JsonElement subsection in subsections.EnumerateArray())
            bytes += 1 + 1 + subsection.GetProperty("vmsd_name").GetString()!.Length + 4 + BytesOf(subsection);
        return bytes;
    }

    private sealed class FieldBehindSubsection : DeviceState
    {
        private uint _value;

        public override void Visit(StateVisitor v)
        {
            if (v.Subsection("a/b", 1, needed: true))
                v.EndSubsection();
            v.U32("late", ref _value);
        }
    }
}
