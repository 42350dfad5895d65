namespace Kvm.Colo.Stream;

/// <summary>One record of a RAM section body, checked against the block table.</summary>
/// <param name="Kind">What it says.</param>
/// <param name="Block">Index in the <see cref="RamBlockTable"/>; -1 when the record is no page.</param>
/// <param name="PageOffset">Byte offset in the block, page aligned and below the block's size.</param>
/// <param name="PayloadBytes">Bytes that follow the record's head in the stream, 0 to 4096.</param>
internal readonly record struct RamRecord(RamRecordKind Kind, int Block, ulong PageOffset, int PayloadBytes);
