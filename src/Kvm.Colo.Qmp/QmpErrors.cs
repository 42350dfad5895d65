namespace Kvm.Colo.Qmp;

/// <summary>The errors whose text is QEMU's, so that a host and a validator say the same thing.</summary>
internal static class QmpErrors
{
    private static readonly string[] s_classes = ["GenericError", "CommandNotFound", "DeviceNotActive", "DeviceNotFound", "KVMMissingCap"];

    public static QmpCommandException MissingParameter(string name) => new($"Parameter '{name}' is missing");

    public static QmpCommandException UnexpectedParameter(string name) => new($"Parameter '{name}' is unexpected");

    public static QmpCommandException WrongType(string name, string expected) =>
        new($"Invalid parameter type for '{name}', expected: {expected}");

    public static QmpCommandException Expects(string name, string expected) => new($"Parameter '{name}' expects {expected}");

    public static QmpCommandException WrongValue(string name, string value) =>
        new($"Parameter '{name}' does not accept value '{value}'");

    public static QmpCommandException DeviceNotFound(string id) => new(QmpErrorClass.DeviceNotFound, $"Device '{id}' not found");

    /// <summary>What QEMU answers when a build or a machine lacks a feature it knows.</summary>
    public static QmpCommandException Unsupported() => new("this feature or command is not currently supported");

    /// <summary>A class's name on the wire.</summary>
    public static string NameOf(QmpErrorClass errorClass) => s_classes[(int)errorClass];

    /// <summary>The class of this name; an unknown one is generic.</summary>
    public static QmpErrorClass ClassOf(string? name) => (QmpErrorClass)Math.Max(0, Array.IndexOf(s_classes, name));

    public static QmpCommandException MigrationActive() => new("There's a migration process in progress");
}
