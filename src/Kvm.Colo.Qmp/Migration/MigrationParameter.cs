using Kvm.Colo.Qmp.Schema;

namespace Kvm.Colo.Qmp.Migration;

/// <summary>One migration parameter: its schema, default and range.</summary>
internal abstract class MigrationParameter(string name, int index)
{
    public string Name { get; } = name;

    /// <summary>Place among the values.</summary>
    public int Index { get; } = index;

    public abstract object Default { get; }

    /// <summary>The member of <c>migrate-set-parameters</c>.</summary>
    public abstract QmpMember Argument { get; }

    /// <summary>The member of <c>query-migrate-parameters</c>.</summary>
    public abstract IQmpField<MigrationParameters> Field { get; }

    /// <summary>The value to store for an argument.</summary>
    public abstract object Convert(object? argument);

    /// <summary>Refuses what is out of range.</summary>
    /// <exception cref="QmpCommandException">The value is out of range.</exception>
    public abstract void Check(object value);
}

/// <summary>A parameter with its CLR type.</summary>
internal sealed class MigrationParameter<T> : MigrationParameter
    where T : notnull
{
    private readonly T _default;
    private readonly Func<T, bool>? _isValid;
    private readonly string _expects;

    public MigrationParameter(
        string name, int index, QmpType<T> type, T initial, string doc, Func<T, bool>? isValid = null, string expects = "",
        QmpFeatures features = QmpFeatures.None, QmpMember? argument = null)
        : base(name, index)
    {
        _default = initial;
        _isValid = isValid;
        _expects = expects;
        Argument = argument ?? new QmpMember<T>(name, type, isOptional: true) { Doc = doc, Features = features };
        Field = new QmpField<MigrationParameters, T>(name, type, isOptional: true, (MigrationParameters owner, out T value) =>
        {
            value = owner.Get(this);
            return true;
        })
        { Doc = doc, Features = features };
    }

    public override object Default => _default;

    public override QmpMember Argument { get; }

    public override IQmpField<MigrationParameters> Field { get; }

    /// <summary>Null stands for the default: only the members that take it let it through.</summary>
    public override object Convert(object? argument) => argument ?? _default;

    public override void Check(object value)
    {
        if (_isValid?.Invoke((T)value) == false)
            throw QmpErrors.Expects(Name, _expects);
    }
}
