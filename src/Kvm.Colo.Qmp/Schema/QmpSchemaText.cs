using System.Text.Json;

namespace Kvm.Colo.Qmp.Schema;

/// <summary>Pieces of introspection that several entries share.</summary>
internal static class QmpSchemaText
{
    public const string UnsupportedFeature = "__org.colo-vm_unsupported";

    public static IEnumerable<string> FeatureNames(QmpFeatures features)
    {
        if ((features & QmpFeatures.Deprecated) != 0)
            yield return "deprecated";
        if ((features & QmpFeatures.Unstable) != 0)
            yield return "unstable";
        if ((features & QmpFeatures.Unsupported) != 0)
            yield return UnsupportedFeature;
    }

    public static void WriteFeatures(Utf8JsonWriter writer, QmpFeatures features)
    {
        if (features == QmpFeatures.None)
            return;
        writer.WriteStartArray("features"u8);
        foreach (string name in FeatureNames(features))
            writer.WriteStringValue(name);
        writer.WriteEndArray();
    }

    /// <summary>The entry of an object type, a union's branches included.</summary>
    public static void WriteObject(Utf8JsonWriter writer, IQmpObject type, QmpTypeNumbers numbers)
    {
        writer.WriteString("meta-type"u8, "object"u8);
        WriteMembers(writer, type.Members, numbers);
        if (type.Tag is null)
            return;
        writer.WriteString("tag"u8, type.Tag.Name);
        writer.WriteStartArray("variants"u8);
        foreach (string name in ((IQmpEnum)type.Tag.Type).Names)
        {
            // A value without members of its own has a case too: clients look each value up.
            IQmpObject branch = type.Branches.FirstOrDefault(branch => branch.Case == name)?.Type ?? QmpShape.Empty;
            writer.WriteStartObject();
            writer.WriteString("case"u8, name);
            writer.WriteString("type"u8, numbers[(QmpType)branch]);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static void WriteMembers(Utf8JsonWriter writer, IEnumerable<QmpMember> members, QmpTypeNumbers numbers)
    {
        writer.WriteStartArray("members"u8);
        foreach (QmpMember member in members)
        {
            writer.WriteStartObject();
            writer.WriteString("name"u8, member.Name);
            if (member.IsOptional)
                writer.WriteNull("default"u8);
            WriteFeatures(writer, member.Features);
            writer.WriteString("type"u8, numbers[member.Type]);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
