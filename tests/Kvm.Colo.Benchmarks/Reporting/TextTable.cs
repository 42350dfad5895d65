using System.Globalization;
using Spectre.Console;

namespace Kvm.Colo.Benchmarks.Reporting;

/// <summary>Tables of figures: names to the left, figures to the right, wide enough where nobody's terminal limits them.</summary>
internal static class TextTable
{
    private const int PlainWidth = 170;

    public static Table Create(IEnumerable<string> names, IEnumerable<string> figures)
    {
        Table table = new() { Border = TableBorder.Simple };
        foreach (string name in names)
            table.AddColumn(Markup.Escape(name));
        foreach (string figure in figures)
            table.AddColumn(new TableColumn(Markup.Escape(figure)).RightAligned());
        return table;
    }

    /// <summary>Standard output.</summary>
    public static IAnsiConsole Terminal()
    {
        if (Console.IsOutputRedirected)
            AnsiConsole.Profile.Width = PlainWidth;
        return AnsiConsole.Console;
    }

    /// <summary>Plain text into a writer.</summary>
    public static IAnsiConsole Plain(TextWriter writer)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(writer),
        });
        console.Profile.Width = PlainWidth;
        return console;
    }

    /// <summary>A ratio with about three digits; nothing where there is none.</summary>
    public static string Ratio(double above, double below)
    {
        double ratio = above / below;
        return double.IsFinite(ratio) ? ratio.ToString(ratio < 10 ? "0.00" : "0", CultureInfo.InvariantCulture) : "";
    }
}
