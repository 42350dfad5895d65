using static Kvm.Colo.Migration.Colo.FailoverState;
using static Kvm.Colo.Migration.Colo.FailoverTrigger;

namespace Kvm.Colo.Migration.Colo;

/// <summary>The failover machine's table: (state, trigger) -> (action, state') for every pair. <see cref="FailoverMachine"/> moves by it.</summary>
internal static class FailoverTable
{
    /// <summary>Where a trigger leads, null where it changes nothing; and what is done, or why nothing is.</summary>
    public static (FailoverState? To, string What) Rule(FailoverState state, FailoverTrigger trigger) => (state, trigger) switch
    {
        (None, Request) => (Require, "the cause is recorded, the session's thread woken, the link shut"),
        (_, Request) => (null, "error: COLO failover is already activated"),
        (Require, Begin) => (Active, "the session's thread takes over"),
        (None, Begin) => (null, "nobody asked: the thread waits"),
        (Active or Completed or Relaunch, Begin) => (null, "taken up once, by one thread"),
        (Require, BeginWhileLoading) => (Relaunch, "waits for the end of the load: half an epoch is no guest"),
        (_, BeginWhileLoading) => (null, "only a request that was not taken up yet can wait for a load"),
        (None or Require or Relaunch, LoadBegins) => (state, "a whole epoch is made live, whoever asks meanwhile"),
        (Active or Completed, LoadBegins) => (null, "refused: this side goes on alone, the epoch is dropped"),
        (Relaunch, LoadEnds) => (Require, "through none: the request is made anew, now with the new epoch"),
        (_, LoadEnds) => (null, "nobody waited for it"),
        (Active, Complete) => (Completed, "status completed, COLO_EXIT"),
        (_, Complete) => (null, "only what is active can be completed"),
        _ => (null, "no such trigger"),
    };
}
