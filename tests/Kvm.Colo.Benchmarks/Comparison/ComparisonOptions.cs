using System.CommandLine;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>What was asked for on the command line.</summary>
internal sealed record ComparisonOptions(bool IsQuick, bool Force, int Rounds, double Seconds, string? CellPattern, bool WithBoot)
{
    /// <summary>The command <c>compare</c>; it is the root's default too.</summary>
    public static Command CreateCommand(string name, string description)
    {
        Option<bool> quick = new("--quick") { Description = "six cells, short windows, one round: about two minutes" };
        Option<bool> force = new("--force") { Description = "measure on a busy machine too; the figures then say little" };
        Option<int?> rounds = new("--rounds") { Description = "how often every cell is measured, contestants in turn [3, quick 1]" };
        Option<double?> seconds = new("--seconds") { Description = "length of a window [30, quick 3]" };
        Option<string?> cells = new("--cells") { Description = "only cells whose name matches one of these patterns: commas between, with * and ?" };
        Command command = new(name, description) { quick, force, rounds, seconds, cells };
        command.SetAction(parsed =>
        {
            bool isQuick = parsed.GetValue(quick);
            return ComparisonCommand.Run(new ComparisonOptions(
                isQuick,
                parsed.GetValue(force),
                parsed.GetValue(rounds) ?? (isQuick ? 1 : 3),
                parsed.GetValue(seconds) ?? (isQuick ? 3 : 30),
                parsed.GetValue(cells),
                parsed.GetValue(cells) is null));
        });
        return command;
    }
}
