using System.Text.Json;

namespace Kvm.Colo.Qmp.Schema;

/// <summary>A command: its schema and its handler in one place.</summary>
internal sealed class QmpCommand
{
    private readonly Action<QmpCall, Utf8JsonWriter> _execute;

    private QmpCommand(
        string name, string doc, IReadOnlyList<QmpMember> arguments, QmpType? returns, Action<QmpCall, Utf8JsonWriter> execute)
    {
        Name = name;
        Doc = doc;
        ArgumentType = arguments.Count == 0 ? QmpShape.Empty : new QmpShape($"q_obj_{name}-arg", arguments);
        Returns = returns;
        _execute = execute;
    }

    public string Name { get; }

    /// <summary>What it does, in one or two sentences.</summary>
    public string Doc { get; }

    public QmpShape ArgumentType { get; }

    public IReadOnlyList<QmpMember> Arguments => ArgumentType.Members;

    /// <summary>Null when the command returns an empty object.</summary>
    public QmpType? Returns { get; }

    public required QmpCommandThread Thread { get; init; }

    public QmpFeatures Features { get; init; }

    /// <summary>Takes members beyond the listed ones, which the host validates.</summary>
    public bool TakesOtherArguments { get; init; }

    public bool AllowsOutOfBand => Thread == QmpCommandThread.OutOfBand;

    /// <summary>A command without a result.</summary>
    public static QmpCommand Action(
        string name, QmpCommandThread thread, string doc, Action<QmpCall> handler, params QmpMember[] arguments) =>
        new(name, doc, arguments, returns: null, (call, writer) =>
        {
            handler(call);
            WriteEmpty(writer);
        })
        { Thread = thread };

    /// <summary>A command that may carry features and other arguments.</summary>
    public static QmpCommand Action(
        string name, QmpCommandThread thread, QmpFeatures features, bool takesOtherArguments, string doc,
        Action<QmpCall> handler, params QmpMember[] arguments) =>
        new(name, doc, arguments, returns: null, (call, writer) =>
        {
            handler(call);
            WriteEmpty(writer);
        })
        { Thread = thread, Features = features, TakesOtherArguments = takesOtherArguments };

    /// <summary>A command with a result.</summary>
    public static QmpCommand Query<T>(
        string name, QmpCommandThread thread, QmpType<T> returns, string doc, Func<QmpCall, T> handler,
        params QmpMember[] arguments) =>
        new(name, doc, arguments, returns, (call, writer) => returns.Write(writer, handler(call))) { Thread = thread };

    /// <summary>A command of QEMU that this product does not have: known, checked, refused.</summary>
    public static QmpCommand Unsupported(string name, string doc, params QmpMember[] arguments) =>
        Action(name, QmpCommandThread.Snapshot, QmpFeatures.Unsupported, takesOtherArguments: true, doc,
            static _ => throw QmpErrors.Unsupported(), arguments);

    /// <summary>Validates the arguments; nothing has happened when it throws.</summary>
    /// <exception cref="QmpCommandException">An argument is missing, unexpected or of a wrong type.</exception>
    public QmpValues ReadArguments(JsonElement arguments)
    {
        var values = new QmpValues();
        values.Read(arguments, QmpPath.Root, Arguments);
        if (!TakesOtherArguments)
            values.RefuseOthers(arguments, QmpPath.Root);
        return values;
    }

    /// <summary>Runs the handler and writes the value of <c>return</c>.</summary>
    public void Execute(QmpCall call, Utf8JsonWriter writer) => _execute(call, writer);

    private static void WriteEmpty(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteEndObject();
    }
}
