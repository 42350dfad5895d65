namespace Kvm.Colo.TestKit;

/// <summary>How a tool ended and what it said.</summary>
internal sealed record ToolResult(int ExitCode, string Output, string Error);
