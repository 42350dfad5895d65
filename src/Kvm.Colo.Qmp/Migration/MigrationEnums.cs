namespace Kvm.Colo.Qmp.Migration;

/// <summary>QAPI <c>MultiFDCompression</c>.</summary>
internal enum MultifdCompression
{
    None,
    Zlib,
    Zstd,
    Qatzip,
    Qpl,
    Uadk,
}

/// <summary>QAPI <c>MigMode</c>.</summary>
internal enum MigrationMode
{
    Normal,
    CprReboot,
    CprTransfer,
    CprExec,
}

/// <summary>QAPI <c>ZeroPageDetection</c>.</summary>
internal enum ZeroPageDetection
{
    None,
    Legacy,
    Multifd,
}
