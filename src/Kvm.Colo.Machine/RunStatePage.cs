using System.Text;

namespace Kvm.Colo.Machine;

/// <summary>Writes RUN-STATES.md from the table.</summary>
internal static class RunStatePage
{
    /// <summary>The whole page.</summary>
    /// <param name="appendix">Sections of other state machines, put at the end.</param>
    public static string Write(string appendix)
    {
        StringBuilder text = new();
        text.Append("""
            # Run states

            Written from `RunStateTable` by the tests; do not edit (`COLO_WRITE_DOCS=1` rewrites it). The machine looks every transition up in
            that table, and the edges it may take follow from it, so this page and the code cannot differ. Names are those of QEMU's
            `RunState`. One thread, the control loop, makes all transitions: two never overlap.

            Form: (state, trigger) -> (action, state'). Every pair of a state and a trigger is here, with an error or a reason where nothing
            happens. A refused trigger is an error to whoever asked and changes nothing; nothing aborts the process. A pause of COLO
            (`colo`) lasts fractions of a millisecond; commands that arrive in it wait for its end, so they meet the state that it gives back.

            ![The machine](run-states.svg)

            ## States

            | state | entered |
            |---|---|

            """);
        foreach (RunState state in RunStateNames.All)
            text.Append($"| {state.Name()} | {Entered(state)} |\n");
        text.Append("\n*guest states*: ").AppendJoin(", ", RunStateTable.GuestStates.Select(RunStateNames.Name))
            .Append(": the guest is whole; a stream may carry them, a pause may interrupt them.\n\n## Transitions\n");
        foreach (RunStateTrigger trigger in Enum.GetValues<RunStateTrigger>())
            AppendTrigger(text, trigger);
        text.Append(appendix);
        return text.ToString();
    }

    private static string Entered(RunState state)
    {
        if (RunStateTable.Absent.TryGetValue(state, out string? why))
            return $"never: {why}; every pair with it is impossible for that reason";
        IEnumerable<string> by = Enum.GetValues<RunStateTrigger>()
            .Where(trigger => RunStateNames.All.Any(from => from != state && RunStateTable.Rule(from, trigger).Targets(from).Contains(state)))
            .Select(static trigger => RunStateTexts.Of(trigger).Name);
        string entered = string.Join(", ", by);
        return entered.Length > 0 ? entered : state == RunState.Watchdog ? "only with a guest that arrives in it" : "at the start";
    }

    private static void AppendTrigger(StringBuilder text, RunStateTrigger trigger)
    {
        (string name, string meaning) = RunStateTexts.Of(trigger);
        text.Append($"\n### {name}\n\n{char.ToUpperInvariant(meaning[0])}{meaning[1..]}.\n\n| state | action | state' |\n|---|---|---|\n");
        IEnumerable<IGrouping<RunStateRule, RunState>> groups = RunStateNames.All
            .Where(static state => !RunStateTable.Absent.ContainsKey(state))
            .GroupBy(state => RunStateTable.Rule(state, trigger));
        foreach (IGrouping<RunStateRule, RunState> group in groups.OrderBy(static group => group.Key.Verdict))
        {
            RunStateRule rule = group.Key;
            text.Append($"| {string.Join(", ", group.Select(RunStateNames.Name))} | {Describe(rule)} | {Target(rule)} |\n");
        }
    }

    private static string Describe(RunStateRule rule) => rule.Verdict switch
    {
        RunStateVerdict.Act => RunStateTexts.Of(rule.Action),
        RunStateVerdict.Nothing => $"nothing: {rule.Text}",
        RunStateVerdict.Refuse => $"error \"{rule.Text}\"",
        RunStateVerdict.Wait => $"waits: {rule.Text}",
        _ => $"impossible: {rule.Text}",
    };

    private static string Target(RunStateRule rule) => (rule.Verdict, rule.Target) switch
    {
        (RunStateVerdict.Act, RunStateTarget.Named) => rule.To.Name(),
        (RunStateVerdict.Act, RunStateTarget.Interrupted) => "the state interrupted",
        (RunStateVerdict.Act, RunStateTarget.Arrived) => "the state that arrived",
        (RunStateVerdict.Impossible, _) => "",
        _ => "same",
    };
}
