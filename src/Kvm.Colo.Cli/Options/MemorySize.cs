using System.Globalization;

namespace Kvm.Colo.Cli.Options;

/// <summary>Sizes as QEMU's -m takes them: a number, then K, M, G or T; without a letter it means MiB.</summary>
internal static class MemorySize
{
    public const ulong MinBytes = 1UL << 20;
    public const ulong MaxBytes = 1UL << 40;

    private const ulong PageBytes = 4096;

    /// <summary>Parses a size of guest memory; on false <paramref name="problem"/> is one line.</summary>
    public static bool TryParse(string text, out ulong bytes, out string problem)
    {
        bytes = 0;
        problem = "";
        int shift = text.Length == 0 ? -1 : char.ToUpperInvariant(text[^1]) switch
        {
            'K' => 10,
            'M' => 20,
            'G' => 30,
            'T' => 40,
            _ => 0,
        };
        string digits = shift > 0 ? text[..^1] : text;
        if (shift < 0 || !ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number))
        {
            problem = $"'{text}' is not a size such as 256M or 1G";
            return false;
        }

        shift = shift == 0 ? 20 : shift;
        if (number > MaxBytes >> shift || (number << shift) < MinBytes)
        {
            problem = $"'{text}' is not between 1M and 1T";
            return false;
        }

        bytes = number << shift;
        if (bytes % PageBytes != 0)
            problem = $"'{text}' is not a multiple of 4K";
        return problem.Length == 0;
    }
}
