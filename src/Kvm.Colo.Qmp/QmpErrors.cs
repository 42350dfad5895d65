namespace Kvm.Colo.Qmp;

/// <summary>The errors whose text is QEMU's, so that a host and a validator say the same thing.</summary>
internal static class QmpErrors
{
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

    public static QmpCommandException MigrationActive() => new("There's a migration process in progress");
}
