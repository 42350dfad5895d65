namespace Kvm.Colo.Qmp.Commands;

/// <summary>QAPI <c>SchemaMetaType</c>.</summary>
internal enum SchemaMetaType
{
    Builtin,
    Enum,
    Array,
    Object,
    Alternate,
    Command,
    Event,
}

/// <summary>QAPI <c>QMPCapability</c>.</summary>
internal enum QmpCapability
{
    OutOfBand,
}

/// <summary>QAPI <c>JSONType</c>.</summary>
internal enum JsonType
{
    String,
    Number,
    Int,
    Boolean,
    Null,
    Object,
    Array,
    Value,
}
