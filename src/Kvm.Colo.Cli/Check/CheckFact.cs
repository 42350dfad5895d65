namespace Kvm.Colo.Cli.Check;

/// <summary>One fact about the host, and what to do when it is not well.</summary>
internal sealed record CheckFact(string Name, CheckLevel Level, string Finding, string? Remedy = null);
