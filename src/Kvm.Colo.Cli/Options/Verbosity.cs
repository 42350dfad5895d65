namespace Kvm.Colo.Cli.Options;

/// <summary>How much is said on standard error (<c>--log</c>).</summary>
internal enum Verbosity
{
    /// <summary>Only why it failed.</summary>
    Quiet,
    Error,
    Warning,
    Info,
    Debug,
}
