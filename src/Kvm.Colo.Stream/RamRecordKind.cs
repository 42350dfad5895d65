namespace Kvm.Colo.Stream;

internal enum RamRecordKind
{
    /// <summary>The block list is complete and equals this machine's; no page.</summary>
    BlockList,

    /// <summary>The page is all zero; complete.</summary>
    ZeroPage,

    /// <summary>4096 bytes follow.</summary>
    Page,

    /// <summary>A delta of <see cref="RamRecord.PayloadBytes"/> follows.</summary>
    Delta,

    /// <summary>The body ends; the section footer follows.</summary>
    EndOfSection,
}
