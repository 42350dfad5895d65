using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Kvm.Colo.Qmp.Commands;
using Kvm.Colo.Qmp.Schema;

namespace Kvm.Colo.Qmp.Tests;

/// <summary>What is derived from the schema agrees with it.</summary>
public sealed class SchemaTests : IDisposable
{
    private readonly ServerFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void EveryQueryCommandOfTheSchema_Answers()
    {
        using RawClient client = _fixture.Negotiated();
        client.Send("""{"execute":"query-qmp-schema"}""");
        Dictionary<string, JsonElement> types = client.Read().GetProperty("return").EnumerateArray()
            .ToDictionary(entry => entry.GetProperty("name").GetString()!);
        foreach ((string name, JsonElement entry) in types)
        {
            bool isQuery = entry.GetProperty("meta-type").ValueEquals("command")
                && name.StartsWith("query-", StringComparison.Ordinal);
            JsonElement arguments = isQuery ? types[entry.GetProperty("arg-type").GetString()!] : default;
            if (!isQuery || arguments.GetProperty("members").EnumerateArray().Any(member =>
                !member.TryGetProperty("default", out _)))
                continue;
            client.Send($$"""{"execute":"{{name}}","id":"{{name}}"}""");
            JsonElement reply = client.Read();
            Assert.Equal(name, reply.GetProperty("id").GetString());
            bool isUnsupported = entry.TryGetProperty("features", out JsonElement features)
                && features.EnumerateArray().Any(feature => feature.ValueEquals("__org.colo-vm_unsupported"));
            if (isUnsupported)
                Assert.Equal("this feature or command is not currently supported",
                    reply.GetProperty("error").GetProperty("desc").GetString());
            else
                AssertConforms(reply.GetProperty("return"), entry.GetProperty("ret-type").GetString()!, types);
        }
    }

    [Fact]
    public void Introspection_NamesEveryTypeItUses_AndMasksTheRest()
    {
        using RawClient client = _fixture.Negotiated();
        client.Send("""{"execute":"query-qmp-schema"}""");
        JsonElement[] entries = [.. client.Read().GetProperty("return").EnumerateArray()];
        HashSet<string> names = [.. entries.Select(entry => entry.GetProperty("name").GetString()!)];
        Assert.Equal(entries.Length, names.Count);
        string[] metaTypes = [.. entries.Select(entry => entry.GetProperty("meta-type").GetString()!).Distinct().Order()];
        Assert.Equal(["alternate", "array", "builtin", "command", "enum", "event", "object"], metaTypes);
        foreach (JsonElement entry in entries)
        {
            foreach (string used in UsedTypes(entry))
                Assert.Contains(used, names);
            string name = entry.GetProperty("name").GetString()!;
            if (entry.GetProperty("meta-type").GetString() is "object" or "enum" or "alternate")
                Assert.True(int.TryParse(name, out _), name);
        }
    }

    [Fact]
    public void OutOfBandCommands_AreTheFourOfQemu()
    {
        string[] names = [.. QmpSchemas.Product.Commands.Where(command => command.AllowsOutOfBand).Select(command =>
            command.Name).Order()];
        Assert.Equal(["migrate-pause", "migrate-recover", "query-yank", "yank"], names);
    }

    [Fact]
    public void QueryCommands_ListsAllOfThem()
    {
        using RawClient client = _fixture.Negotiated();
        client.Send("""{"execute":"query-commands"}""");
        Assert.Equal(QmpSchemas.Product.Commands.Select(command => command.Name),
            client.Read().GetProperty("return").EnumerateArray().Select(entry => entry.GetProperty("name").GetString()));
    }

    [Fact]
    public void EveryCommandWithMandatoryArguments_SaysWhichIsMissing()
    {
        using RawClient client = _fixture.Negotiated();
        foreach (QmpCommand command in QmpSchemas.Product.Commands)
        {
            if (command.Arguments.FirstOrDefault(argument => !argument.IsOptional) is not { } first)
                continue;
            Assert.Equal($$$"""{"error":{"class":"GenericError","desc":"Parameter '{{{first.Name}}}' is missing"}}""",
                client.Ask($$$"""{"execute":"{{{command.Name}}}","arguments":{}}"""));
        }
    }

    [Fact]
    public void OurOwnNames_CarryThePrefixOrAreListedHere()
    {
        string[] ours = ["query-colo-statistics"];
        string[] prefixed = [.. QmpSchemas.Product.Commands.Select(command => command.Name).Where(name =>
            name.StartsWith("__org.colo-vm_", StringComparison.Ordinal))];
        Assert.Equal(["__org.colo-vm_checkpoint", "__org.colo-vm_query-devices"], prefixed.Order(StringComparer.Ordinal));
        Assert.All(ours, name => Assert.NotNull(QmpSchemas.Product.Find(name)));
    }

    [Fact]
    public void ReferencePage_IsNotStale()
    {
        string path = Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../src/Kvm.Colo.Qmp/COMMANDS.md");
        string page = QmpCommandsPage.Write(QmpSchemas.Topics, QmpSchemas.Product);
        if (Environment.GetEnvironmentVariable("COLO_WRITE_DOCS") == "1")
            File.WriteAllText(path, page);
        Assert.True(File.ReadAllText(path) == page, "COMMANDS.md is stale: run these tests once with COLO_WRITE_DOCS=1");
    }

    [Theory]
    [InlineData("query-mig", 0, "query-migrate query-migrate-capabilities query-migrate-parameters")]
    [InlineData("migrate-set-parameters {\"downt", 24, "\"downtime-limit\": ")]
    [InlineData("migrate-set-parameters {\"mode\": \"cpr-e", 32, "\"cpr-exec\"")]
    [InlineData("migrate-set-capabilities {\"capabilities\": [{\"capability\": \"x-", 58, "\"x-colo\" \"x-ignore-shared\"")]
    [InlineData("migrate-set-capabilities {\"capabilities\": [{\"state\": t", 53, "true")]
    [InlineData("yank {\"instances\": [{\"node", 21, "\"node-name\": ")]
    [InlineData("nosuch {\"x", 8, "")]
    public void Completion_ComesFromTheSchema(string line, int wordStart, string offers)
    {
        IReadOnlyList<string> found = new QmpCompletion(QmpSchemas.Product).Complete(line, out int start);
        Assert.Equal((wordStart, offers.Trim()), (start, string.Join(' ', found).Trim()));
    }

    // The compiler is the generator: what is declared is typed, and nothing looks at a type while it runs.
    [Fact]
    public void Assembly_UsesNoReflection()
    {
        using FileStream file = File.OpenRead(typeof(QmpSchemas).Assembly.Location);
        using var image = new PEReader(file);
        MetadataReader metadata = image.GetMetadataReader();
        string[] types = [.. metadata.TypeReferences.Select(metadata.GetTypeReference)
            .Select(type => $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}")];
        Assert.DoesNotContain(types, type => type.StartsWith("System.Reflection.Emit", StringComparison.Ordinal)
            || type is "System.Activator" or "System.Text.Json.JsonSerializer" or "System.Reflection.MethodInfo" or "System.Reflection.PropertyInfo");
        string[] members = [.. metadata.MemberReferences.Select(metadata.GetMemberReference)
            .Where(static member => member.Parent.Kind == HandleKind.TypeReference)
            .Select(member => (Type: metadata.GetTypeReference((TypeReferenceHandle)member.Parent), Name: metadata.GetString(member.Name)))
            .Select(member => $"{metadata.GetString(member.Type.Name)}.{member.Name}")];
        Assert.DoesNotContain(members, member => member is "Enum.GetValues" or "Enum.GetNames" or "Enum.Parse" or "Enum.TryParse"
            || member.StartsWith("Type.Get", StringComparison.Ordinal) && member != "Type.GetTypeFromHandle");
    }

    [Fact]
    public void EveryEnum_HasANameForEachValue()
    {
        IEnumerable<object?> declared = typeof(QmpSchemas).Assembly.GetTypes().SelectMany(static type => type.IsGenericTypeDefinition ? [] :
            type.GetFields(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public).Select(static field => field.GetValue(null)));
        object[] enums = [.. declared.OfType<IQmpEnum>().Distinct()];
        Assert.True(enums.Length > 20);
        foreach (object each in enums)
        {
            Type values = each.GetType().GetGenericArguments()[0];
            Assert.Equal(Enum.GetValuesAsUnderlyingType(values).Cast<int>(), Enumerable.Range(0, ((IQmpEnum)each).Names.Count));
            Assert.Equal(4, System.Runtime.InteropServices.Marshal.SizeOf(Enum.GetUnderlyingType(values)));
        }

        Assert.Equal(Enum.GetNames<QmpErrorClass>(), Enum.GetValues<QmpErrorClass>().Select(QmpErrors.NameOf));
    }

    private static void AssertConforms(JsonElement value, string type, Dictionary<string, JsonElement> types)
    {
        JsonElement entry = types[type];
        switch (entry.GetProperty("meta-type").GetString())
        {
            case "array":
                Assert.Equal(JsonValueKind.Array, value.ValueKind);
                foreach (JsonElement item in value.EnumerateArray())
                    AssertConforms(item, entry.GetProperty("element-type").GetString()!, types);
                break;
            case "enum":
                Assert.Contains(entry.GetProperty("values").EnumerateArray(), name => name.ValueEquals(value.GetString()));
                break;
            case "builtin":
                bool isRight = entry.GetProperty("json-type").GetString() switch
                {
                    "string" => value.ValueKind == JsonValueKind.String,
                    "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
                    "int" => value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out decimal number) && decimal.IsInteger(number),
                    "number" => value.ValueKind == JsonValueKind.Number,
                    "null" => value.ValueKind == JsonValueKind.Null,
                    _ => true,
                };
                Assert.True(isRight, $"{value} is not a {type}");
                break;
            default:
                AssertConformsToObject(value, entry, types);
                break;
        }
    }

    private static void AssertConformsToObject(JsonElement value, JsonElement entry, Dictionary<string, JsonElement> types)
    {
        List<JsonElement> members = [.. entry.GetProperty("members").EnumerateArray()];
        if (entry.TryGetProperty("tag", out JsonElement tag))
        {
            string branch = value.GetProperty(tag.GetString()!).GetString()!;
            foreach (JsonElement variant in entry.GetProperty("variants").EnumerateArray().Where(each =>
                each.GetProperty("case").ValueEquals(branch)))
                members.AddRange(types[variant.GetProperty("type").GetString()!].GetProperty("members").EnumerateArray());
        }
        foreach (JsonElement member in members)
        {
            if (value.TryGetProperty(member.GetProperty("name").GetString()!, out JsonElement inner))
                AssertConforms(inner, member.GetProperty("type").GetString()!, types);
            else
                Assert.True(member.TryGetProperty("default", out _), $"{member} is missing in {value}");
        }
        foreach (JsonProperty property in value.EnumerateObject())
            Assert.Contains(members, member => member.GetProperty("name").ValueEquals(property.Name));
    }

    private static IEnumerable<string> UsedTypes(JsonElement entry)
    {
        foreach (string key in (string[])["arg-type", "ret-type", "element-type"])
        {
            if (entry.TryGetProperty(key, out JsonElement type))
                yield return type.GetString()!;
        }
        foreach (string key in (string[])["members", "variants"])
        {
            if (!entry.TryGetProperty(key, out JsonElement list))
                continue;
            foreach (JsonElement item in list.EnumerateArray())
            {
                if (item.TryGetProperty("type", out JsonElement type))
                    yield return type.GetString()!;
            }
        }
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
