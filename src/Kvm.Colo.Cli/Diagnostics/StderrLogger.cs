using Kvm.Colo.Cli.Options;
using Kvm.Colo.Cli.Terminal;
using Microsoft.Extensions.Logging;

namespace Kvm.Colo.Cli.Diagnostics;

/// <summary>Logs to standard error as the command line's own messages; no thread, no framework to start. Any thread.</summary>
internal sealed class StderrLogger(Verbosity verbosity) : ILogger
{
    private readonly LogLevel _least = verbosity switch
    {
        Verbosity.Quiet => LogLevel.None,
        Verbosity.Error => LogLevel.Error,
        Verbosity.Warning => LogLevel.Warning,
        Verbosity.Info => LogLevel.Information,
        _ => LogLevel.Debug,
    };

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= _least && logLevel != LogLevel.None;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
            return;
        Messages.Line(formatter(state, exception));
        if (exception is not null && _least == LogLevel.Debug)
            Messages.Write($"{exception}\n");
    }
}
