using System.CommandLine;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>How much is to be measured.</summary>
internal sealed record Measuring(bool IsQuick, bool Force, int Rounds, double Seconds, string? CellPattern);

/// <summary>The options of every command that measures cells in turn.</summary>
/// <param name="rounds">Rounds when nothing is said; a quick measurement has one.</param>
/// <param name="seconds">Length of a window when nothing is said.</param>
/// <param name="quickSeconds">The same of a quick measurement.</param>
internal sealed class MeasuringOptions(int rounds, double seconds, double quickSeconds)
{
    private readonly Option<bool> _quick = new("--quick") { Description = "few cells, short windows, one round" };
    private readonly Option<bool> _force = new("--force") { Description = "measure on a busy machine too; the figures then say little" };
    private readonly Option<int?> _rounds = new("--rounds") { Description = $"how often every cell is measured, everybody in turn [{rounds}, quick 1]" };
    private readonly Option<double?> _seconds = new("--seconds") { Description = $"length of a window [{seconds}, quick {quickSeconds}]" };

    private readonly Option<string?> _cells = new("--cells")
    {
        Description = "only cells whose name matches one of these patterns: commas between, with * and ?",
    };

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_quick, _force, _rounds, _seconds, _cells])
            command.Add(option);
    }

    public Measuring Read(ParseResult parsed)
    {
        bool isQuick = parsed.GetValue(_quick);
        return new Measuring(
            isQuick,
            parsed.GetValue(_force),
            parsed.GetValue(_rounds) ?? (isQuick ? 1 : rounds),
            parsed.GetValue(_seconds) ?? (isQuick ? quickSeconds : seconds),
            parsed.GetValue(_cells));
    }
}
