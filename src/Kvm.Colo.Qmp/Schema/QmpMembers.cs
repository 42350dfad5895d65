namespace Kvm.Colo.Qmp.Schema;

/// <summary>Short makers of members, so that a declaration reads as one.</summary>
internal static class QmpMembers
{
    public static QmpMember<T> Argument<T>(string name, QmpType<T> type, string doc = "") =>
        new(name, type, isOptional: false) { Doc = doc };

    public static QmpMember<T> OptionalArgument<T>(
        string name, QmpType<T> type, string doc = "", QmpFeatures features = QmpFeatures.None) =>
        new(name, type, isOptional: true) { Doc = doc, Features = features };

    public static QmpField<TOwner, T> Field<TOwner, T>(string name, QmpType<T> type, Func<TOwner, T> get, string doc = "") =>
        new(name, type, isOptional: false, (TOwner owner, out T value) =>
        {
            value = get(owner);
            return true;
        })
        { Doc = doc };

    /// <summary>An optional member that is left out when null.</summary>
    public static QmpField<TOwner, T> OptionalValue<TOwner, T>(
        string name, QmpType<T> type, Func<TOwner, T?> get, string doc = "")
        where T : struct =>
        new(name, type, isOptional: true, (TOwner owner, out T value) =>
        {
            T? found = get(owner);
            value = found.GetValueOrDefault();
            return found.HasValue;
        })
        { Doc = doc };

    /// <summary>An optional member that is left out when null.</summary>
    public static QmpField<TOwner, T> OptionalReference<TOwner, T>(
        string name, QmpType<T> type, Func<TOwner, T?> get, string doc = "")
        where T : class =>
        new(name, type, isOptional: true, (TOwner owner, out T value) =>
        {
            T? found = get(owner);
            value = found!;
            return found is not null;
        })
        { Doc = doc };
}
