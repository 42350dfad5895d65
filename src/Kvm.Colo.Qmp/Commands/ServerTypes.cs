using System.Text.Json;
using Kvm.Colo.Qmp.Schema;
using static Kvm.Colo.Qmp.Schema.QmpMembers;

namespace Kvm.Colo.Qmp.Commands;

/// <summary>Types of the commands about the socket itself (QAPI <c>control.json</c>, <c>introspect.json</c>).</summary>
internal static class ServerTypes
{
    private static readonly QmpObject<Version> s_triple = new("VersionTriple", create: null,
        Field("major", QmpTypes.Int, (Version version) => (long)version.Major),
        Field("minor", QmpTypes.Int, (Version version) => (long)version.Minor),
        Field("micro", QmpTypes.Int, (Version version) => (long)version.Build));

    public static readonly QmpObject<QmpServerOptions> Version = new("VersionInfo", create: null,
        Field("qemu", s_triple, (QmpServerOptions options) => options.ProtocolVersion, "the QEMU whose schema is followed"),
        Field("package", QmpTypes.Str, (QmpServerOptions options) => options.Package, "this product and its version"));

    public static readonly QmpEnum<QmpCapability> Capability = new("QMPCapability", "oob");

    public static readonly QmpObject<QmpCommand> CommandInfo = new("CommandInfo", create: null,
        Field("name", QmpTypes.Str, (QmpCommand command) => command.Name));

    public static readonly QmpType<QmpSchema> SchemaInfo = new SchemaInfoList();

    /// <summary>The result of <c>query-qmp-schema</c>, which the schema writes itself.</summary>
    private sealed class SchemaInfoList() : QmpType<QmpSchema>("[SchemaInfo]"), IQmpList
    {
        private static readonly QmpMember s_tag = Argument("meta-type", new QmpEnum<SchemaMetaType>("SchemaMetaType",
            "builtin", "enum", "array", "object", "alternate", "command", "event"));

        private static readonly QmpEnum<JsonType> s_jsonType = new("JSONType",
            "string", "number", "int", "boolean", "null", "object", "array", "value");

        private static readonly QmpMember[] s_member =
        [
            Argument("name", QmpTypes.Str), Argument("type", QmpTypes.Str), OptionalArgument("default", QmpTypes.Any),
            OptionalArgument("features", QmpTypes.ListOf(QmpTypes.Str)),
        ];

        private static readonly QmpShape s_info = new("SchemaInfo",
            [Argument("name", QmpTypes.Str), s_tag, OptionalArgument("features", QmpTypes.ListOf(QmpTypes.Str))], s_tag,
            [
                Branch("builtin", Argument("json-type", s_jsonType)),
                Branch("enum", Argument("members", ListOf("SchemaInfoEnumMember", Argument("name", QmpTypes.Str),
                    OptionalArgument("features", QmpTypes.ListOf(QmpTypes.Str)))),
                        Argument("values", QmpTypes.ListOf(QmpTypes.Str))),
                Branch("array", Argument("element-type", QmpTypes.Str)),
                Branch("object", Argument("members", ListOf("SchemaInfoObjectMember", s_member)),
                    OptionalArgument("tag", QmpTypes.Str),
                    OptionalArgument("variants",
                        ListOf("SchemaInfoObjectVariant", Argument("case", QmpTypes.Str), Argument("type", QmpTypes.Str)))),
                Branch("alternate", Argument("members", ListOf("SchemaInfoAlternateMember", Argument("type", QmpTypes.Str)))),
                Branch("command", Argument("arg-type", QmpTypes.Str), Argument("ret-type", QmpTypes.Str),
                    OptionalArgument("allow-oob", QmpTypes.Bool)),
                Branch("event", Argument("arg-type", QmpTypes.Str)),
            ]);

        public QmpType ElementType => s_info;

        public override QmpSchema Read(JsonElement value, QmpPath path) =>
            throw new InvalidOperationException("never an argument");

        public override void Write(Utf8JsonWriter writer, QmpSchema value) => value.WriteIntrospection(writer);

        public override void Describe(Utf8JsonWriter writer, QmpTypeNumbers numbers)
        {
            writer.WriteString("meta-type"u8, "array"u8);
            writer.WriteString("element-type"u8, numbers[s_info]);
        }

        private static QmpBranch Branch(string name, params QmpMember[] members) =>
            new(name, new QmpShape($"SchemaInfo-{name}", members));

        private static QmpType<IReadOnlyList<object>> ListOf(string name, params QmpMember[] members) =>
            QmpTypes.ListOf<object>(new QmpArgumentObject<object>(new QmpShape(name, members), static values => values));
    }
}
