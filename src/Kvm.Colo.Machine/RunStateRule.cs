namespace Kvm.Colo.Machine;

/// <summary>(state, trigger) -> (action, state'). <see cref="Text"/> is the error of a refusal, else the reason.</summary>
internal readonly record struct RunStateRule(
    RunStateVerdict Verdict, RunStateAction Action, RunStateTarget Target, RunState To, string Text)
{
    public static RunStateRule Do(RunStateAction action, RunState to) => new(RunStateVerdict.Act, action, RunStateTarget.Named, to, "");

    public static RunStateRule Do(RunStateAction action, RunStateTarget target = RunStateTarget.Same) =>
        new(RunStateVerdict.Act, action, target, default, "");

    public static RunStateRule Nothing(string reason) => new(RunStateVerdict.Nothing, default, default, default, reason);

    public static RunStateRule Refuse(string error) => new(RunStateVerdict.Refuse, default, default, default, error);

    public static RunStateRule Never(string reason) => new(RunStateVerdict.Impossible, default, default, default, reason);

    public static RunStateRule Wait { get; } =
        new(RunStateVerdict.Wait, default, default, default, "the control loop is inside the pause: carried out right after it");

    /// <summary>The states this may lead to from <paramref name="from"/>.</summary>
    public IEnumerable<RunState> Targets(RunState from) => (Verdict, Target) switch
    {
        (RunStateVerdict.Act, RunStateTarget.Named) => [To],
        (RunStateVerdict.Act, RunStateTarget.Interrupted or RunStateTarget.Arrived) => RunStateTable.GuestStates,
        _ => [from],
    };
}
