namespace Kvm.Colo.Qmp.Hosting;

/// <summary>Arguments of <c>migrate</c>: where to, as one URI whichever way it was given.</summary>
/// <param name="Uri">
/// <c>tcp:HOST:PORT</c>, <c>unix:PATH</c>, <c>file:PATH[,offset=N]</c>, <c>exec:COMMAND</c> or <c>fd:N</c>.
/// </param>
/// <param name="ExecArguments">The argument vector, when the client gave one instead of a shell command.</param>
/// <param name="Resume">Continue a postcopy migration that is paused.</param>
internal sealed record QmpMigrateRequest(string Uri, IReadOnlyList<string>? ExecArguments, bool Resume);

/// <summary>Arguments of <c>migrate-incoming</c>.</summary>
/// <param name="Uri">Where to listen, in the form of <see cref="QmpMigrateRequest"/>.</param>
/// <param name="ExecArguments">The argument vector, when the client gave one instead of a shell command.</param>
/// <param name="ExitOnError">End the process when the migration fails.</param>
internal sealed record QmpIncomingRequest(string Uri, IReadOnlyList<string>? ExecArguments, bool ExitOnError);

/// <summary>Arguments of <c>announce-self</c>, in milliseconds.</summary>
internal sealed record QmpAnnounceRequest(
    long InitialMilliseconds, long MaxMilliseconds, long Rounds, long StepMilliseconds, IReadOnlyList<string>? Interfaces,
    string? Id);
