using Kvm.Colo.Qmp.Commands;

namespace Kvm.Colo.Cli.Monitor;

/// <summary>What a shell completes behind <c>colo-vm qmp</c>: the schema's command names, then arguments and their values.</summary>
internal static class ShellWords
{
    private static readonly ShellCompletion s_completion = new(QmpSchemas.Product);

    /// <summary>Whole words that may stand in place of the last one.</summary>
    /// <param name="words">The words so far, the one being typed included unless it is empty.</param>
    /// <param name="last">The word being typed.</param>
    public static IEnumerable<string> Complete(IReadOnlyList<string> words, string last)
    {
        IEnumerable<string> before = last.Length > 0 ? words.SkipLast(1) : words;
        return s_completion.Complete(string.Join(' ', [.. before, last]), out _);
    }
}
