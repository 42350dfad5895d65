using System.Text;

namespace Kvm.Colo.Migration.Colo;

/// <summary>Writes the failover machine's part of RUN-STATES.md from its table.</summary>
internal static class FailoverPage
{
    public static string Write()
    {
        StringBuilder text = new();
        text.Append("""

            ## Failover

            A second machine, one for each COLO session, names those of QEMU's `FailoverStatus`. It has its own lock: `x-colo-lost-heartbeat`
            must not wait for the control loop. The cause is recorded before any socket is closed, so COLO_EXIT tells the truth: `request`
            when a failover was asked for, or the other side said that it ends, before anything broke; else `error`.

            | state | trigger | action | state' |
            |---|---|---|---|

            """);
        foreach (FailoverState state in Enum.GetValues<FailoverState>())
        {
            foreach (FailoverTrigger trigger in Enum.GetValues<FailoverTrigger>())
            {
                (FailoverState? to, string what) = FailoverTable.Rule(state, trigger);
                text.Append($"| {Name(state)} | {Name(trigger)} | {what} | {(to is { } next ? Name(next) : "same")} |\n");
            }
        }

        return text.ToString();
    }

    private static string Name<T>(T value)
        where T : struct, Enum => string.Concat(value.ToString().Select(static (c, i) => char.IsUpper(c) && i > 0 ? $" {char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));
}
