namespace Kvm.Colo.Qmp.Migration;

/// <summary>All parameters at one moment; immutable.</summary>
internal sealed class MigrationParameters
{
    private readonly object[] _values;

    public MigrationParameters() => _values = [.. MigrationParameterTable.All.Select(parameter => parameter.Default)];

    private MigrationParameters(object[] values) => _values = values;

    public T Get<T>(MigrationParameter<T> parameter)
        where T : notnull => (T)_values[parameter.Index];

    public MigrationParameters With(IEnumerable<(MigrationParameter Parameter, object Value)> changes)
    {
        object[] values = [.. _values];
        foreach ((MigrationParameter parameter, object value) in changes)
            values[parameter.Index] = value;
        return new MigrationParameters(values);
    }
}
