namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>Runs a plan and writes down what each run gave.</summary>
internal static class Measurement
{
    /// <summary>
    /// ABAB: subjects take turns within a round, and rounds repeat, so that a drift of the machine meets all of them. A cell that one of
    /// them has left out by <paramref name="fits"/> is not measured with it.
    /// </summary>
    public static IEnumerable<(Cell Cell, int Round, Subject Subject)> Turns(
        IReadOnlyList<Cell> cells, int rounds, IReadOnlyList<Subject> subjects, Func<Cell, Subject, bool>? fits = null)
    {
        foreach (Cell cell in cells)
        {
            for (int round = 1; round <= rounds; round++)
            {
                foreach (Subject subject in subjects)
                {
                    if (fits is null || fits(cell, subject))
                        yield return (cell, round, subject);
                }
            }
        }
    }

    /// <summary>
    /// Measures each turn that is not in <paramref name="runs"/> yet, behind the load gate where <paramref name="look"/> is one, and tells of it
    /// on standard error and to <paramref name="onRun"/>.
    /// </summary>
    public static void Run(
        Tools tools, IEnumerable<(Cell Cell, int Round, Subject Subject)> turns, Pace pace, Func<double> look, ICollection<RunRecord> runs,
        Action? onRun = null)
    {
        (Cell Cell, int Round, Subject Subject)[] all = [.. turns];
        foreach ((Cell cell, int round, Subject subject) in Missing(all, runs))
        {
            RunRecord record = PairRun.Measure(tools, subject, cell, pace, round, look());
            runs.Add(record);
            Console.Error.WriteLine($"[{runs.Count}/{all.Length}] {RunLine.Describe(record)}");
            onRun?.Invoke();
        }
    }

    /// <summary>The turns that nobody has taken.</summary>
    public static IReadOnlyList<(Cell Cell, int Round, Subject Subject)> Missing(
        IEnumerable<(Cell Cell, int Round, Subject Subject)> turns, IEnumerable<RunRecord> runs)
    {
        HashSet<(string, int, string)> taken = [.. runs.Select(static run => (run.Cell, run.Round, run.Contestant))];
        return [.. turns.Where(turn => !taken.Contains((turn.Cell.Name, turn.Round, turn.Subject.Label)))];
    }
}
